--- @include "includes/call"

-- The due ms of the first delayed job; nil when there is none, or none that will ever be due. The keys are those of workKeys or of
-- schedulerKeys.
local function firstDue()
    local first = call("ZRANGE", delayedKey, "0", "0", "WITHSCORES")
    local due = first[2] and math.floor(tonumber(first[2]) / 4096)
    return due and due < 9e15 and due or nil
end
