-- Tells where a job is.
--
-- Input:
--   KEYS  job, completed, failed, delayed, prioritized, waiting-children, active, wait, paused
--   ARGV  1 job id
--         2 how far from each end the long lists are searched
--
-- Output:
--   the state's name; "unknown" when it is nowhere. A job that is stored but neither in a set nor near
--   the ends of the lists is said to wait: searching a list of millions would hold the server.

--- @include "includes/isInList"

local job, id, reach = KEYS[1], ARGV[1], ARGV[2]

local sets = { [2] = "completed", [3] = "failed", [4] = "delayed", [5] = "prioritized", [6] = "waiting-children" }
for i = 2, 6 do
    if call("ZSCORE", KEYS[i], id) then
        return sets[i]
    end
end
if isInList(KEYS[7], id, reach) then
    return "active"
end
if isInList(KEYS[8], id, reach) or isInList(KEYS[9], id, reach) then
    return "waiting"
end
if call("LLEN", KEYS[8]) > 2 * tonumber(reach) and call("EXISTS", job) == 1 then
    return "waiting"
end
return "unknown"
