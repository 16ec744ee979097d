-- Makes the runs of guarded schedules that are due, of each one or none, and moves each on to its next run. Sent twice it does nothing the second
-- time: it acts only where a schedule's score and revision are as the caller knows them.
--
-- Input:
--   KEYS and ARGV 1 as in includes/schedulerKeys
--   ARGV  2... of each schedule, 11 of them:
--              its id; the same as it stands inside a JSON string
--              its score; its revision
--              time of the run to make, ms; empty: none is made
--              its next score, ms; empty: there is no next run
--              time of the next run without jitter, ms
--              jobs made so far, this one included
--              options of the job, as addSchedulerJob wants them; "1": by pattern
--              what few runs have, as JSON; empty: nothing. priority; push: RPUSH; overlap: the policy; missed: runs that are missed; last: it is over when
--              this run is made
--
-- Output: {now, then of each schedule: 1 its run is made; 0 none was; -1 nothing to do: it has changed, is not due, was named before, or the queue is paused; -2 not
--         looked at, for the jobs before it were large: call again; or a text: why it could not be dealt with}
-- Events: added, then waiting or waiting-children; duplicated; deduplicated

--- @include "includes/serverTime"
--- @include "includes/withoutOverlap"

local ARGS = 11
local BYTES_MAX = 1024 * 1024 -- of data, in one call
local NOTHING = {}

local now, nowText = serverTime()
local ids, jobs = {}, {}
for at = 2, #ARGV, ARGS do
    ids[#ids + 1] = ARGV[at]
    jobs[#jobs + 1] = base .. "repeat:" .. ARGV[at] .. ":" .. ARGV[at + 4]
end
local scores = call("ZMSCORE", repeatKey, unpack(ids))
local someExist = call("EXISTS", unpack(jobs)) > 0
local isPaused = call("HEXISTS", metaKey, "paused") == 1
local bytes = 0
local moves = {} -- next scores and ids
local moved = {} -- id -> true

-- Makes the run at `ms`. Returns its state, see includes/schedulerRuns; nil when it has a job already.
local function makeRun(ms, rule, at, more)
    if someExist and call("EXISTS", base .. jobIdAt(ms)) == 1 then
        emitEvent(eventsKey, "duplicated", jobIdAt(ms))
        return nil
    end
    local job = {
        name = rule[2], data = rule[3] or "{}", head = ARGV[at + 8], priority = more.priority or "0", push = more.push or "LPUSH", dedupId = "",
        hasPrev = ARGV[at + 9] == "1", due = now,
    }
    bytes = bytes + #job.data
    if more.overlap then
        return addWithoutOverlap(more.overlap, ms, now, nowText, job, call("HGET", schedulerKey, "sc:last"))
    end
    putSchedulerJob(ms, now, nowText, job)
    return "w"
end

-- A counter of the schedule goes up, whatever it holds.
local function count(name, by)
    call("HSET", schedulerKey, name, string.format("%.0f", (tonumber(call("HGET", schedulerKey, name)) or 0) + by))
end

-- The schedule whose arguments begin at `at`. Returns as the output says.
local function advance(score, at)
    if score ~= ARGV[at + 2] or now < tonumber(score) or moved[ARGV[at]] then
        return -1
    end
    useScheduler(ARGV[at], ARGV[at + 1])
    local rule = call("HMGET", schedulerKey, "sc:rev", "name", "data", "sc:runs")
    if rule[1] ~= ARGV[at + 3] then
        return -1
    end

    local run, nextScore, nominal = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6]
    local more = ARGV[at + 10] ~= "" and cjson.decode(ARGV[at + 10]) or NOTHING
    local state = run ~= "" and makeRun(run, rule, at, more)
    if state == "w" then
        call("HSET", schedulerKey, "sc:nominal", nominal, "ic", ARGV[at + 7], "sc:last", run, "sc:runs", addRun(rule[4], run, "w", "0"))
    elseif state then
        call("HSET", schedulerKey, "sc:nominal", nominal, "sc:runs", addRun(rule[4], run, "s", nowText))
        count("sc:skipped", 1)
    else
        call("HSET", schedulerKey, "sc:nominal", nominal)
    end
    if more.missed then
        count("sc:missed", more.missed)
    end
    if nextScore == "" or more.last and state == "w" then
        call("HSET", schedulerKey, "sc:over", "1")
        nextScore = string.format("%.0f", tonumber(score) + 1) -- so that no job is the one that the schedule waits for
    end
    moves[#moves + 1], moves[#moves + 2] = nextScore, schedulerId
    moved[schedulerId] = true
    return state == "w" and 1 or 0
end

local function tryToAdvance(score, at)
    local isDone, result = pcall(advance, score, at) -- what is odd about one stops none of the others
    if isDone then
        return result
    end
    return type(result) == "table" and result.err or tostring(result)
end

local reply = { now }
for i, score in ipairs(scores) do
    reply[i + 1] = isPaused and -1 or bytes > BYTES_MAX and -2 or tryToAdvance(score, 2 + (i - 1) * ARGS)
end
if #moves > 0 then
    call("ZADD", repeatKey, unpack(moves))
end
announceSchedulerJobs()
return reply
