-- Moves the next run of a schedule to another time, for its zone's clocks will be other ones. Nothing when either time has come, when
-- the schedule has another next run by now, or when a worker has its job.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4  the schedule's score
--         5  the new one, ms
--         6  the new run's time without jitter, ms, of a guarded schedule; empty: it has a pending job
--         7  options of that, as addSchedulerJob wants them
--         8  priority
--         9  push: LPUSH or RPUSH
--         10 deduplication id; empty: none
--
-- Output: 1 moved, 0 not
-- Events: removed, added, delayed

--- @include "includes/addSchedulerJob"
--- @include "includes/pendingJob"
--- @include "includes/serverTime"

local now, nowText = serverTime()
local score, next = call("ZSCORE", repeatKey, schedulerId), tonumber(ARGV[5])
local rule = call("HMGET", schedulerKey, "name", "data", "sc:rev")
if score ~= ARGV[4] or tonumber(score) <= now or next <= now or not rule[1] or (rule[3] and true or false) ~= (ARGV[6] ~= "") then
    return 0
end
if rule[3] then
    call("HSET", schedulerKey, "sc:nominal", ARGV[6])
    call("ZADD", repeatKey, ARGV[5], schedulerId)
    return 1
end
local id = jobIdAt(score)
if pendingState(id) ~= "delayed" or call("EXISTS", base .. jobIdAt(ARGV[5])) == 1 then
    return 0
end
removePending(id, "delayed")
emitEvent(eventsKey, "removed", id, "prev", "delayed")
call("ZADD", repeatKey, ARGV[5], schedulerId)
addSchedulerJob(ARGV[5], now, nowText, {
    name = rule[1], data = rule[2] or "{}", head = ARGV[7], priority = ARGV[8], push = ARGV[9], dedupId = ARGV[10], hasPrev = true,
})
return 1
