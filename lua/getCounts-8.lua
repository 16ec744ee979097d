-- Counts the jobs of each state, at one moment.
--
-- Input:
--   KEYS  wait, active, delayed, prioritized, waiting-children, completed, failed, meta
--
-- Output:
--   seven counts, in the order of the keys; then 1 if the queue is paused, else 0

--- @include "includes/call"

local counts = { call("LLEN", KEYS[1]), call("LLEN", KEYS[2]) }
for i = 3, 7 do
    counts[i] = call("ZCARD", KEYS[i])
end
counts[8] = call("HEXISTS", KEYS[8], "paused")
return counts
