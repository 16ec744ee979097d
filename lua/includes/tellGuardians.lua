--- @include "includes/schedulerKeys"
--- @include "includes/tryCall"

-- Guardians of a queue that has no schedules ask for them seldom: of the first one they are told, by the channel `{base}sc:schedules`.
local function tellGuardians()
    if call("ZCARD", repeatKey) == 1 then
        tryCall("PUBLISH", base .. "sc:schedules", "")
    end
end
