-- Makes the runs of guarded schedules that are due, of each one or none, and moves each on to its next run. Sent twice it does nothing the second
-- time: it acts only where a schedule's score and revision are as the caller knows them.
--
-- Input:
--   KEYS and ARGV 1 as in includes/schedulerKeys
--   ARGV  2... of each schedule, 12 of them:
--              its id; the same as it stands inside a JSON string
--              its score; its revision
--              time of the run to make, ms; empty: none is made
--              its next score, ms; empty: there is no next run
--              time of the next run without jitter, ms
--              runs that are missed
--              options of the job, as addSchedulerJob wants them; priority; push: LPUSH or RPUSH; "1": by pattern
--
-- Output: {now, then of each schedule: jobs made so far; -1 nothing to do: it has changed, is not due or over, or the queue is paused; -2 not
--         looked at, for the jobs before it were large: call again; or a text: why it could not be dealt with}
-- Events: added, then waiting or waiting-children; duplicated; deduplicated

--- @include "includes/serverTime"
--- @include "includes/withoutOverlap"

local ARGS = 12
local BYTES_MAX = 1024 * 1024 -- of data, in one call

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

-- Makes the run at `ms`. Returns its state, see includes/schedulerRuns; nil when it has a job already.
local function makeRun(ms, rule, at)
    if someExist and call("EXISTS", base .. jobIdAt(ms)) == 1 then
        emitEvent(eventsKey, "duplicated", jobIdAt(ms))
        return nil
    end
    local job = {
        name = rule[3], data = rule[4] or "{}", head = ARGV[at + 8], priority = ARGV[at + 9], push = ARGV[at + 10], dedupId = "",
        hasPrev = ARGV[at + 11] == "1", due = now,
    }
    bytes = bytes + #job.data
    if rule[7] then
        return addWithoutOverlap(rule[7], ms, now, nowText, job, rule[8])
    end
    putSchedulerJob(ms, now, nowText, job)
    return "w"
end

-- One more of the counter that is stored as `text`.
local function plus(text, more)
    return string.format("%.0f", (tonumber(text) or 0) + more)
end

-- The schedule whose arguments begin at `at`. Returns the number of jobs made so far, or -1.
local function advance(score, at)
    useScheduler(ARGV[at], ARGV[at + 1])
    local rule = call("HMGET", schedulerKey, "sc:rev", "sc:over", "name", "data", "limit", "ic", "sc:overlap", "sc:last", "sc:runs",
                      "sc:missed", "sc:skipped")
    if not score or score ~= ARGV[at + 2] or rule[1] ~= ARGV[at + 3] or rule[2] or now < tonumber(score) then
        return -1
    end

    local run, nextScore, missed = ARGV[at + 4], ARGV[at + 5], ARGV[at + 7]
    local made, limit = tonumber(rule[6]) or 0, tonumber(rule[5]) or 0
    local state = run ~= "" and (limit <= 0 or made < limit) and makeRun(run, rule, at)
    local fields = { "sc:nominal", ARGV[at + 6] }
    if state == "w" then
        made = made + 1
        fields = { "sc:nominal", ARGV[at + 6], "ic", plus(rule[6], 1), "sc:last", run, "sc:runs", addRun(rule[9], run, "w", "0") }
    elseif state then
        fields = { "sc:nominal", ARGV[at + 6], "sc:skipped", plus(rule[11], 1), "sc:runs", addRun(rule[9], run, "s", nowText) }
    end
    if missed ~= "0" then
        fields[#fields + 1], fields[#fields + 2] = "sc:missed", plus(rule[10], missed)
    end
    if nextScore == "" or limit > 0 and made >= limit then
        fields[#fields + 1], fields[#fields + 2] = "sc:over", "1"
        nextScore = plus(score, 1) -- so that no job is the one that the schedule waits for
    end
    call("HSET", schedulerKey, unpack(fields))
    moves[#moves + 1], moves[#moves + 2] = nextScore, schedulerId
    return made
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
