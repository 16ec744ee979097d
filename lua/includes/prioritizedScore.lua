--- @include "includes/tryCall"

-- The score in `prioritized`: priority * 2^32 + a counter, so that equals are served in the order they came.
-- `count` jobs may be numbered at once: returns the first counter, to be put into prioritizedScore().
-- What is no number is worth nothing: the counter begins anew.
local function nextPriorityCounter(pcKey, count)
    local counter = tryCall("INCRBY", pcKey, count)
    if not counter then
        call("SET", pcKey, count)
        counter = count
    end
    return counter - count + 1
end

local function prioritizedScore(priority, counter)
    return priority * 4294967296 + counter % 4294967296
end
