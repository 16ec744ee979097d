-- Makes the run of a guarded schedule that is due, or none, and moves the schedule on to its next run. Sent twice it does nothing the second
-- time: it acts only if the schedule's score and revision are as the caller knows them.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4  the schedule's score
--         5  its revision
--         6  time of the run to make, ms; empty: none is made
--         7  its next score, ms; empty: there is no next run
--         8  time of the next run without jitter, ms
--         9  runs that are missed
--         10 options of the job, as addSchedulerJob wants them
--         11 priority
--         12 push: LPUSH or RPUSH
--         13 "1": by pattern
--
-- Output: {1, jobs made so far, now}; {0}: nothing to do: it has changed, is not due or over, or the queue is paused
-- Events: added, then waiting or waiting-children; duplicated; deduplicated

--- @include "includes/serverTime"
--- @include "includes/withoutOverlap"

local rule = call("HMGET", schedulerKey, "sc:rev", "sc:over", "name", "data", "limit", "ic", "sc:overlap", "sc:last", "sc:runs",
                  "sc:missed", "sc:skipped")
local score = call("ZSCORE", repeatKey, schedulerId)
local now, nowText = serverTime()
if not score or score ~= ARGV[4] or rule[1] ~= ARGV[5] or rule[2] or now < tonumber(score) or
    call("HEXISTS", metaKey, "paused") == 1 then
    return { 0 }
end

local made, limit = tonumber(rule[6]) or 0, tonumber(rule[5])
local fields = { "sc:nominal", ARGV[8] }
local function set(field, value)
    fields[#fields + 1], fields[#fields + 2] = field, value
end

local function make(ms)
    if call("EXISTS", base .. jobIdAt(ms)) == 1 then
        emitEvent(eventsKey, "duplicated", jobIdAt(ms))
        return
    end
    local job = {
        name = rule[3], data = rule[4] or "{}", head = ARGV[10], priority = ARGV[11], push = ARGV[12], dedupId = "",
        hasPrev = ARGV[13] == "1", due = now,
    }
    local state = "w"
    if rule[7] then
        state = addWithoutOverlap(rule[7], tonumber(ms), now, nowText, job, rule[8])
    else
        addSchedulerJob(tonumber(ms), now, nowText, job)
    end
    if state == "w" then
        made = made + 1
        set("ic", string.format("%.0f", made))
        set("sc:last", ms)
    else
        set("sc:skipped", string.format("%.0f", (tonumber(rule[11]) or 0) + 1))
    end
    set("sc:runs", addRun(rule[9], ms, state, state == "s" and nowText or "0"))
end

local function isOver()
    return limit and limit > 0 and made >= limit
end

if ARGV[6] ~= "" and not isOver() then
    make(ARGV[6])
end
if ARGV[9] ~= "0" then
    set("sc:missed", string.format("%.0f", (tonumber(rule[10]) or 0) + tonumber(ARGV[9])))
end
local nextScore = ARGV[7]
if nextScore == "" or isOver() then
    set("sc:over", "1")
    nextScore = string.format("%.0f", tonumber(score) + 1) -- so that no job is the one that the schedule waits for
end
call("HSET", schedulerKey, unpack(fields))
call("ZADD", repeatKey, nextScore, schedulerId)
return { 1, made, now }
