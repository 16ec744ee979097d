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

--- @include "includes/call"

local job, id, reach = KEYS[1], ARGV[1], ARGV[2]

local function isIn(list)
    return call("LPOS", list, id, "MAXLEN", reach) or call("LPOS", list, id, "RANK", "-1", "MAXLEN", reach)
end

local sets = { [2] = "completed", [3] = "failed", [4] = "delayed", [5] = "prioritized", [6] = "waiting-children" }
for i = 2, 6 do
    if call("ZSCORE", KEYS[i], id) then
        return sets[i]
    end
end
if isIn(KEYS[7]) then
    return "active"
end
if isIn(KEYS[8]) or isIn(KEYS[9]) then
    return "waiting"
end
if call("LLEN", KEYS[8]) > 2 * tonumber(reach) and call("EXISTS", job) == 1 then
    return "waiting"
end
return "unknown"
