-- Tells whether a job has ended, and how.
--
-- Input:
--   KEYS  job, completed, failed
--   ARGV  1 job id
--
-- Output:
--   {0} not yet; {1, return value} completed; {2, reason} failed; {-1} no such job

--- @include "includes/call"

local job, id = KEYS[1], ARGV[1]

if call("EXISTS", job) == 0 then
    return { -1 }
end
if call("ZSCORE", KEYS[2], id) then
    return { 1, call("HGET", job, "returnvalue") or "" }
end
if call("ZSCORE", KEYS[3], id) then
    return { 2, call("HGET", job, "failedReason") or "" }
end
return { 0 }
