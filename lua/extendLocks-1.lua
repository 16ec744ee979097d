-- Renews the locks of running jobs, and clears them of the suspicion to be stalled.
--
-- Input:  KEYS[1] stalled
--         ARGV[1] base of the queue's keys, ARGV[2] lock ms, then id and token of each job
-- Output: {places (from 0) of the jobs whose lock is another's or gone},
--         {place and reason of each job that was cancelled while it held this lock}: see cancelJob
--- @include "includes/tryCall"
local base, lockMs = ARGV[1], ARGV[2]
local keys, cancelKeys, kept, lost, cancelled = {}, {}, {}, {}, {}
for i = 3, #ARGV, 2 do
    keys[#keys + 1] = base .. ARGV[i] .. ":lock"
    cancelKeys[#cancelKeys + 1] = base .. "sc:cancel:" .. ARGV[i]
end
local held = call("MGET", unpack(keys))
local cancels = call("MGET", unpack(cancelKeys))
for i = 1, #keys do
    local token = ARGV[2 * i + 2]
    if held[i] == token then
        call("PEXPIRE", keys[i], lockMs)
        kept[#kept + 1] = ARGV[2 * i + 1]
    else
        lost[#lost + 1] = i - 1
    end
    if cancels[i] and string.sub(cancels[i], 1, #token + 1) == token .. "\n" then
        cancelled[#cancelled + 1] = i - 1
        cancelled[#cancelled + 1] = string.sub(cancels[i], #token + 2)
    end
end
if kept[1] then
    tryCall("SREM", KEYS[1], unpack(kept))
end
return {lost, cancelled}
