-- Makes the next job of a scheduler when a worker has taken the one before. Sent twice it does nothing the second time: it acts only
-- if the job taken is the one that the scheduler's score names.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4  id of the job that was taken
--         5  next time of the pattern, ms; empty: none, or by `every`
--         6  the pattern and
--         7  the zone that it was computed with (empty: none)
--         8  options of the new job, as addSchedulerJob wants them
--         9  number of the new job, counted from the upsert
--         10 priority
--         11 push: LPUSH or RPUSH
--         12 deduplication id; empty: none
--         13, 14, 15, 16  every, offset, limit and end date as the job has them, where the rule does not say; empty: none
--         17 a next time that is past by no more than so many ms is not skipped
--
-- Output: {1, id, ms until it is due} added; {0} nothing to do; {2, ms, pattern, tz}: compute again, by this pattern and zone, the first time after ms;
--         {3} the next times all have a job already
-- Events: added, then waiting or delayed; duplicated

--- @include "includes/addSchedulerJob"
--- @include "includes/everyNext"
--- @include "includes/serverTime"

local SLOTS = 32
local score = call("ZSCORE", repeatKey, schedulerId)
if not score or ARGV[4] ~= jobIdAt(score) then
    return { 0 }
end
local rule = call("HMGET", schedulerKey, "name", "data", "every", "startDate", "offset", "limit", "endDate", "pattern", "tz")
if not rule[1] then
    return { 0 }
end
local limit = tonumber(rule[6] or ARGV[15])
if limit and limit > 0 and tonumber(ARGV[9]) > limit then
    return { 0 }
end

local now, nowText = serverTime()
local notBefore = now - tonumber(ARGV[17])
local pattern, tz = rule[8] or "", rule[9] or ""
local every = tonumber(rule[3] or (pattern == "" and ARGV[13]))
local next
if every and every > 0 then
    next = math.floor(tonumber(score) + every)
    if next < notBefore then
        next = everyNext(tonumber(score), every, now, tonumber(rule[5] or ARGV[14]), nil)
    end
else
    if pattern ~= ARGV[6] or tz ~= ARGV[7] then
        return { 2, nowText, pattern, tz }
    end
    next = tonumber(ARGV[5])
    if next and next <= notBefore then
        return { 2, nowText, pattern, tz }
    end
    every = nil
end

local endDate = tonumber(rule[7] or ARGV[16])
local nextText
for _ = 1, SLOTS do
    if not next or (endDate and next > endDate) then
        return { 0 }
    end
    nextText = string.format("%.0f", next)
    local id = jobIdAt(nextText)
    if call("EXISTS", base .. id) == 0 then
        break
    end
    emitEvent(eventsKey, "duplicated", id)
    if call("ZSCORE", delayedKey, id) then
        call("ZADD", repeatKey, nextText, schedulerId)
        return { 1, id, math.max(next - now, 0) }
    end
    if not every then
        return { 2, nextText, pattern, tz }
    end
    next, nextText = next + every, nil
end
if not nextText then
    return { 3 }
end

if not tryCall("HINCRBY", schedulerKey, "ic", "1") then
    call("HSET", schedulerKey, "ic", ARGV[9])
end
call("ZADD", repeatKey, nextText, schedulerId)
local id = addSchedulerJob(nextText, now, nowText, {
    name = rule[1], data = rule[2] or "{}", head = ARGV[8], priority = ARGV[10], push = ARGV[11], dedupId = ARGV[12],
    hasPrev = not every,
})
return { 1, id, math.max(next - now, 0) }
