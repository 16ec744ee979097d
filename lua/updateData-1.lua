-- Stores other data in a job.
--
-- Input:  KEYS: job
--         ARGV[1] data, JSON
-- Output: 0
-- Errors: -1 no such job
--- @include "includes/call"
if call("EXISTS", KEYS[1]) == 0 then
    return -1
end
call("HSET", KEYS[1], "data", ARGV[1])
return 0
