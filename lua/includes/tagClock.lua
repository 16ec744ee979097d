--- @include "includes/tryCall"

-- The tag clock, as text: a number that grows with each delete or expiry of tags. When it was lost, or something else lies there, it
-- begins at the server's date in us, which is more than it ever was.
local function tagClock(clockKey)
    local clock = tryCall("GET", clockKey)
    if clock and #clock <= 16 and string.match(clock, "^%d+$") then
        return clock
    end
    local time = call("TIME")
    clock = time[1] .. string.format("%06d", time[2])
    call("SET", clockKey, clock)
    return clock
end
