--- @include "includes/workKeys"
--- @include "includes/tryCall"

-- How many jobs the rate limit allows, at most `room`; and the ms to wait when that is none.
local function limitRoom(room, max)
    local used = tonumber((tryCall("GET", limiterKey))) or 0
    if used < max then
        return math.min(room, max - used), 0
    end
    local ttl = tryCall("PTTL", limiterKey) or 0
    if ttl > 0 then
        return 0, ttl
    end
    call("DEL", limiterKey)
    return max > 0 and math.min(room, max) or room, 0
end
