-- For how long no job is started because of the rate limit.
--
-- Input:  KEYS: limiter, meta
--         ARGV[1] a worker's limit; "0": the queue's; if it has none, what is left of the limiter's time counts
-- Output: ms, 0 when jobs are started
--- @include "includes/call"
local most = tonumber(ARGV[1])
if most == 0 then
    most = tonumber(call("HGET", KEYS[2], "max")) or 0
end
if most > (tonumber(call("GET", KEYS[1])) or 0) then
    return 0
end
return math.max(call("PTTL", KEYS[1]), 0)
