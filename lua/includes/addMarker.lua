--- @include "includes/tryCall"

-- A marker is a hint: what has taken its key and is none makes way.
local function putMarker(markerKey, score, member)
    if not tryCall("ZADD", markerKey, score, member) then
        call("DEL", markerKey)
        call("ZADD", markerKey, score, member)
    end
end

-- Wakes a worker: there is something to take. Not for a closed queue (see queueGate).
local function addBaseMarker(markerKey)
    putMarker(markerKey, "0", "0")
end

-- Tells workers when the earliest delayed job is due (ms, may have a fraction). Nothing when none is delayed.
local function addDelayMarker(markerKey, delayedKey)
    local first = call("ZRANGE", delayedKey, "0", "0", "WITHSCORES")
    if first[2] then
        putMarker(markerKey, tonumber(first[2]) / 4096, "1")
    end
end
