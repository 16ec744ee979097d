--- @include "includes/call"

-- The score in `delayed` of a job due at `dueMs` (a number): dueMs * 4096 + k, where k keeps jobs of the same
-- millisecond in the order they were added; from the 4096th on they share the last k.
local function delayedScore(delayedKey, dueMs)
    local first = dueMs * 4096
    local last = first + 4095
    local newest = call("ZREVRANGEBYSCORE", delayedKey, last, first, "WITHSCORES", "LIMIT", "0", "1")
    if not newest[2] then
        return first
    end
    return math.min(tonumber(newest[2]) + 1, last)
end
