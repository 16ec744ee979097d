-- Renews the locks of running jobs, and clears them of the suspicion to be stalled.
--
-- Input:  KEYS[1] stalled
--         ARGV[1] base of the queue's keys, ARGV[2] lock ms, then id and token of each job
-- Output: places (from 0) of the jobs whose lock is another's or gone
--- @include "includes/tryCall"
local base, lockMs = ARGV[1], ARGV[2]
local keys, kept, lost = {}, {}, {}
for i = 3, #ARGV, 2 do
    keys[#keys + 1] = base .. ARGV[i] .. ":lock"
end
local held = call("MGET", unpack(keys))
for i = 1, #keys do
    if held[i] == ARGV[2 * i + 2] then
        call("PEXPIRE", keys[i], lockMs)
        kept[#kept + 1] = ARGV[2 * i + 1]
    else
        lost[#lost + 1] = i - 1
    end
end
if kept[1] then
    tryCall("SREM", KEYS[1], unpack(kept))
end
return lost
