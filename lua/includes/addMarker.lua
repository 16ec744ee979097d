--- @include "includes/call"

-- Wakes a worker: there is something to take. Not for a closed queue (see queueGate).
local function addBaseMarker(markerKey)
    call("ZADD", markerKey, "0", "0")
end

-- Tells workers when the earliest delayed job is due (ms, may have a fraction). Nothing when none is delayed.
local function addDelayMarker(markerKey, delayedKey)
    local first = call("ZRANGE", delayedKey, "0", "0", "WITHSCORES")
    if first[2] then
        call("ZADD", markerKey, tonumber(first[2]) / 4096, "1")
    end
end
