-- Ends the runs of jobs, each by its outcome, and takes the next jobs in the same call.
--
-- Input:  KEYS and ARGV 1 to 7 as in includes/workKeys
--         ARGV[8] minutes of metrics to keep for each kind of end; 0: count none
--         then for each outcome 7 arguments:
--           job id, lock token, kind, text, traces, number, keep
--           completed  text: return value, JSON; keep: see includes/keepFinished, "0::" deletes it at once, "" keeps all
--           failed     text: reason; traces: JSON array; number: attempts that it had; keep
--           retry      text: reason; traces; number: 1 to the head of the queue, 0 to its tail. Counts as an attempt
--           backoff    text: reason; traces; number: ms to wait. Counts as an attempt
--           delay      number: ms to wait
--           children   waits for its children. text: key of the one that it waits for; empty: any. With none pending as return 0
--           return     to the head of the queue; number: ms that the queue rests, 0: not
-- Output: {{code or text for each outcome}, then as takeJobs}. A text: it is done, but what concerns its parent or its
--         deduplication id was not possible, and why
-- Errors: codes -1 no such job, -2 no lock, -3 not active, -4 unfinished children, -6 another's lock, -9 failed children
-- Events: completed, failed, retries-exhausted, waiting (prev active), delayed, waiting-children, drained; those of parents; those of
--         takeJobs
--- @include "includes/workKeys"
--- @include "includes/takeJobs"
--- @include "includes/childFinished"
--- @include "includes/finishDedup"
--- @include "includes/keepFinished"
--- @include "includes/countMetrics"
--- @include "includes/waitForChildren"
--- @include "includes/serverTime"
local HEAD, STRIDE = 8, 7
local count = (#ARGV - HEAD) / STRIDE
local nowMs, now = serverTime()
local codes, jobs, lockKeys, childKeys = {}, {}, {}, {}
local ended, checked = {completed = completedKey, failed = failedKey}, {}
local reply = {codes}
local ready, delayed, finished = false, false, {completed = 0, failed = 0}
-- Finished jobs of one kind and retention, in a row: they are added and trimmed at once.
local group = {}

-- What would keep this outcome from being recorded: a negative code, else 0. `lock` is the token that is stored.
local function refusal(jobKey, job, kind, lock, lockToken, hasChildren)
    if not job or not job[1] and call("EXISTS", jobKey) == 0 then
        return -1
    end
    if hasChildren and kind == "completed" then
        if call("EXISTS", jobKey .. ":dependencies") == 1 then
            return -4
        end
        if call("EXISTS", jobKey .. ":unsuccessful") == 1 then
            return -9
        end
    end
    if kind == "children" and call("EXISTS", jobKey .. ":unsuccessful") == 1 then
        return -9
    end
    if lock ~= lockToken then
        return lock and -6 or -2
    end
    return 0
end

local function flush()
    if group[1] then
        call("ZADD", group.set, unpack(group))
        if group.keep ~= "" then
            keepFinished(group.set, group.keep, nowMs)
        end
    end
end

local function addFinished(set, keep, jobId)
    if group.set ~= set or group.keep ~= keep then
        flush()
        group = {set = set, keep = keep}
    end
    group[#group + 1] = now
    group[#group + 1] = jobId
end

-- A count that is none begins anew: one below 0 would be tried for ever.
local function attemptsOf(job)
    local made = tonumber(job[4]) or 0
    return string.format("%.0f", made >= 0 and made < 1e15 and made + 1 or 1)
end

local function tellParent(kind, job, jobKey, text)
    local parentJson = call("HGET", jobKey, "parent")
    if kind == "completed" then
        childCompleted(job[2], parentJson, jobKey, text, nowMs)
    else
        childFailed(job[2], parentJson, jobKey, text, nowMs)
    end
end

-- Runs a function that depends on others' data; its error is told, and stops nothing.
local function attempt(i, what, ...)
    local done, err = pcall(what, ...)
    if not done then
        codes[i] = type(err) == "table" and err.err or tostring(err)
    end
end

local function store(kind, job, jobKey, jobId, text, traces, keep)
    local atm = attemptsOf(job)
    if string.sub(keep, 1, 2) == "0:" then
        removeJobKeys(jobKey)
        if job[2] and job[2] ~= "" then
            pcall(releaseParent, job[2], jobKey)
        end
        return atm
    end
    if kind == "completed" then
        call("HSET", jobKey, "returnvalue", text, "finishedOn", now, "atm", atm)
    else
        call("HSET", jobKey, "failedReason", text, "stacktrace", traces, "finishedOn", now, "atm", atm)
        call("HDEL", jobKey, "defa")
    end
    addFinished(ended[kind], keep, jobId)
    return atm
end

local function finish(i, kind, job, jobKey, jobId, text, traces, number, keep)
    if job[3] then
        attempt(i, finishDedup, job[3], jobId, nowMs, now)
    end
    if job[2] and job[2] ~= "" then
        attempt(i, tellParent, kind, job, jobKey, text)
    end
    local atm = store(kind, job, jobKey, jobId, text, traces, keep)
    if kind == "completed" then
        tryEvent(eventsKey, "completed", jobId, "returnvalue", text, "prev", "active")
    else
        tryEvent(eventsKey, "failed", jobId, "failedReason", text, "prev", "active")
        if tonumber(atm) >= (tonumber(number) or 0) then
            tryEvent(eventsKey, "retries-exhausted", jobId, "attemptsMade", atm)
        end
    end
    finished[kind] = finished[kind] + 1
end

local function countAttempt(job, jobKey, text, traces)
    call("HSET", jobKey, "failedReason", text, "stacktrace", traces, "atm", attemptsOf(job))
end

local function delay(jobKey, jobId, ms)
    local due = nowMs + (tonumber(ms) or 0)
    call("HSET", jobKey, "delay", ms)
    addDelayed(delayedKey, jobId, due)
    tryEvent(eventsKey, "delayed", jobId, "delay", string.format("%.0f", due))
    delayed = true
end

local function wait(jobKey, jobId, push)
    addReady(waitKey, prioritizedKey, pcKey, push, jobId, priorityOf(jobKey))
    tryEvent(eventsKey, "waiting", jobId, "prev", "active")
    ready = true
end

local function giveBack(jobKey, jobId, restMs)
    local priority = priorityOf(jobKey)
    if priority > 0 then
        call("ZADD", prioritizedKey, prioritizedScore(priority, 0), jobId)
    else
        call("RPUSH", waitKey, jobId)
    end
    if restMs ~= "0" then
        call("SET", limiterKey, "9007199254740991", "PX", restMs)
    end
    tryEvent(eventsKey, "waiting", jobId, "prev", "active")
    ready = true
end

local function apply(i, job, jobKey, jobId, kind, text, traces, number, keep)
    if kind == "completed" or kind == "failed" then
        finish(i, kind, job, jobKey, jobId, text, traces, number, keep)
    elseif kind == "retry" then
        countAttempt(job, jobKey, text, traces)
        wait(jobKey, jobId, number == "1" and "RPUSH" or "LPUSH")
    elseif kind == "backoff" then
        countAttempt(job, jobKey, text, traces)
        delay(jobKey, jobId, number)
    elseif kind == "delay" then
        delay(jobKey, jobId, number)
    elseif kind == "children" and hasPendingChild(jobKey, text) then
        waitForChildren(jobId, now)
    else
        giveBack(jobKey, jobId, number)
    end
end

-- Metrics that can't be counted, for their keys hold something else, stop nothing.
local function collectMetrics()
    local points = tonumber(ARGV[8]) or 0
    for kind, n in pairs(finished) do
        if points > 0 and n > 0 then
            pcall(countMetrics, base .. "metrics:" .. kind, n, points, nowMs, now)
        end
    end
end

-- Reads first: a key of a wrong type stops the script before anything is changed.
local maxEvents = getMaxEvents(metaKey)
call("LLEN", waitKey)
call("ZCARD", delayedKey)
for i = 1, count do
    local at = HEAD + (i - 1) * STRIDE
    local jobKey, kind = base .. ARGV[at + 1], ARGV[at + 3]
    lockKeys[i] = jobKey .. ":lock"
    if kind == "completed" then
        childKeys[#childKeys + 1] = jobKey .. ":dependencies"
        childKeys[#childKeys + 1] = jobKey .. ":unsuccessful"
    end
    if kind == "children" then
        call("ZCARD", waitingChildrenKey)
    end
    if ended[kind] and not checked[kind] then
        call("ZCARD", ended[kind])
        checked[kind] = true
    end
end
local locks = count > 0 and call("MGET", unpack(lockKeys)) or {}
local hasChildren = childKeys[1] and call("EXISTS", unpack(childKeys)) > 0
local freed, freedIds = {}, {}
for i = 1, count do
    local at = HEAD + (i - 1) * STRIDE
    local jobId = ARGV[at + 1]
    local jobKey = base .. jobId
    local job = tryCall("HMGET", jobKey, "timestamp", "parentKey", "deid", "atm")
    codes[i] = refusal(jobKey, job, ARGV[at + 3], locks[i], ARGV[at + 2], hasChildren)
    if codes[i] == 0 then
        if call("LREM", activeKey, "-1", jobId) == 0 then
            codes[i] = -3
        end
        freed[#freed + 1], freedIds[#freedIds + 1] = lockKeys[i], jobId
    elseif codes[i] == -4 or codes[i] == -9 then
        wanted = math.max(wanted - 1, 0) -- the worker still has it, to be failed
    end
    jobs[i] = job
end
if freed[1] then
    call("DEL", unpack(freed))
    tryCall("SREM", stalledKey, unpack(freedIds))
    tryCall("XTRIM", eventsKey, "MAXLEN", "~", maxEvents)
end
for i = 1, count do
    if codes[i] == 0 then
        local at = HEAD + (i - 1) * STRIDE
        apply(i, jobs[i], base .. ARGV[at + 1], ARGV[at + 1], ARGV[at + 3], ARGV[at + 4], ARGV[at + 5], ARGV[at + 6],
              ARGV[at + 7])
    end
end
flush()
collectMetrics()
local taken = takeJobs(reply, nowMs, now, ready)
if delayed then
    addDelayMarker(markerKey, delayedKey)
end
if finished.completed + finished.failed > 0 and taken == 0 and (wanted == 0 or reply[3] == 0 and reply[4] == 0)
    and call("EXISTS", waitKey, activeKey, prioritizedKey) == 0 then
    tryCall("XADD", eventsKey, "*", "event", "drained")
end
return reply
