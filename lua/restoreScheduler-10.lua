-- Makes the pending job of a scheduler again, with the same id, if it is still gone.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4  the run it is for, ms: the scheduler's score
--         5  options, as addSchedulerJob wants them
--         6  priority
--         7  push: LPUSH or RPUSH
--         8  deduplication id; empty: none
--         9  "1": by pattern
--
-- Output: 1 made, 0 not
-- Events: added, then waiting or delayed

--- @include "includes/addSchedulerJob"
--- @include "includes/schedulerJobLoss"
--- @include "includes/serverTime"

local score = call("ZSCORE", repeatKey, schedulerId)
if score ~= ARGV[4] or lossOf(jobIdAt(score), 0) ~= "gone" then
    return 0
end
local rule = call("HMGET", schedulerKey, "name", "data")
if not rule[1] then
    return 0
end
local now, nowText = serverTime()
removeJobKeys(base .. jobIdAt(score))
addSchedulerJob(score, now, nowText, {
    name = rule[1], data = rule[2] or "{}", head = ARGV[5], priority = ARGV[6], push = ARGV[7], dedupId = ARGV[8],
    hasPrev = ARGV[9] == "1",
})
return 1
