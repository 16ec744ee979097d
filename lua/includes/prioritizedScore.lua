--- @include "includes/call"

-- The score in `prioritized`: priority * 2^32 + a counter, so that equals are served in the order they came.
-- `count` jobs may be numbered at once: returns the first counter, to be put into prioritizedScore().
local function nextPriorityCounter(pcKey, count)
    return call("INCRBY", pcKey, count) - count + 1
end

local function prioritizedScore(priority, counter)
    return priority * 4294967296 + counter % 4294967296
end
