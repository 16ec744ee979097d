-- Counts the jobs that wait with each of some priorities, at one moment.
--
-- Input:  KEYS: wait, prioritized
--         ARGV: priorities
-- Output: a count each
--- @include "includes/prioritizedScore"
local counts = {}
for i, priority in ipairs(ARGV) do
    if priority == "0" then
        counts[i] = call("LLEN", KEYS[1])
    else
        counts[i] = call("ZCOUNT", KEYS[2], prioritizedScore(priority, 0), prioritizedScore(priority, 4294967295))
    end
end
return counts
