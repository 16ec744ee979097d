-- Takes a lock that nobody holds, and a number for its holder that is greater than those of all holders before.
--
-- Input:  KEYS[1] the lock, KEYS[2] its counter
--         ARGV[1] the holder's token, ARGV[2] the lock's life in ms
-- Output: {1 taken, its number}, or {0 another holds it, ms until it ends unless it is renewed (-1: never)}
-- Errors: those of GET and SET (WRONGTYPE, OOM, READONLY)
--- @include "includes/call"
local holder = call("GET", KEYS[1])
-- Asked twice, for the connection broke between, it is ours.
if holder and holder ~= ARGV[1] then
    return {0, call("PTTL", KEYS[1])}
end
call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
-- A counter that is lost goes on from the clock, in microseconds: nobody takes a lock more often.
if call("EXISTS", KEYS[2]) == 0 then
    local time = call("TIME")
    call("SET", KEYS[2], time[1] .. string.format("%06d", tonumber(time[2])))
end
local number = call("INCR", KEYS[2])
call("PEXPIRE", KEYS[2], "86400000")
return {1, number}
