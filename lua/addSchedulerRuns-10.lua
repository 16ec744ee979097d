-- Adds jobs of a schedule beside those that its rule makes. One whose time has a job already is left out.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4  priority
--         5  push: LPUSH or RPUSH
--         6  "1": by pattern
--         7... of each: the time that it stands for, ms (empty: now), ms from now until it is to be taken, options as
--            addSchedulerJob wants them
--
-- Output: the ids of the jobs added
-- Errors: -18 there is no such schedule
-- Events: added, then waiting or delayed

--- @include "includes/addSchedulerJob"
--- @include "includes/schedulerRuns"
--- @include "includes/serverTime"

local rule = call("HMGET", schedulerKey, "name", "data", "sc:rev", "sc:runs")
if not rule[1] then
    return -18
end
local now, nowText = serverTime()
local ids = {}

-- Now, or the next ms that has no job.
local function freeTime()
    local ms = now
    while call("EXISTS", base .. jobIdAt(string.format("%.0f", ms))) == 1 do
        ms = ms + 1
    end
    return ms
end

for i = 7, #ARGV, 3 do
    local isNow = ARGV[i] == ""
    local ms = isNow and freeTime() or tonumber(ARGV[i])
    local msText = string.format("%.0f", ms)
    if isNow or call("EXISTS", base .. jobIdAt(msText)) == 0 then
        ids[#ids + 1] = putSchedulerJob(msText, now, nowText, {
            name = rule[1], data = rule[2] or "{}", head = ARGV[i + 2], priority = ARGV[4], push = ARGV[5], dedupId = "",
            hasPrev = ARGV[6] == "1", due = now + tonumber(ARGV[i + 1]),
        })
    end
    if isNow and rule[3] then
        rule[4] = addRun(rule[4], msText, "w", "0")
        call("HSET", schedulerKey, "sc:runs", rule[4])
    end
end
announceSchedulerJobs()
return ids
