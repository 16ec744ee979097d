-- Ends the runs of jobs, each by its outcome, and takes the next jobs in the same call.
--
-- Input:  KEYS and ARGV 1 to 8 as in includes/workKeys
--         ARGV[9] minutes of metrics to keep for each kind of end; 0: count none
--         10... groups: lock token, kind, number, keep, count, then per outcome: job id, text, and with kinds marked * traces
--           completed  text: return value, JSON; keep: see includes/keepFinished, "0::" deletes it at once, "" keeps all
--           failed *   text: reason; traces: JSON array; number: attempts that it had; keep
--           retry *    text: reason; number: 1 to the head of the queue, 0 to its tail. Counts as an attempt
--           backoff *  text: reason; number: ms to wait. Counts as an attempt
--           delay      number: ms to wait
--           children   waits for its children. text: key of the one that it waits for; empty: any. With none pending as return 0
--           return     to the head of the queue; number: ms that the queue rests, 0: not
-- Output: {{code or text for each outcome}, then as takeJobs}. A text: it is done, but what concerns its parent or its
--         deduplication id was not possible, and why
-- Errors: codes -1 no such job, -2 no lock, -3 not active, -4 unfinished children, -6 another's lock, -9 failed children
-- Events: completed, failed, retries-exhausted, waiting (prev active), delayed, waiting-children, drained; those of parents; those of
--         takeJobs
--- @include "includes/workKeys"
--- @include "includes/addToState"
--- @include "includes/getMaxEvents"
--- @include "includes/keepFinished"
--- @include "includes/serverTime"

-- What most calls have no need of: a script makes its functions anew at each call, and these only when they are wanted.
local made
local function rare()
    if not made then
        --- @include "includes/childFinished"
        --- @include "includes/finishDedup"
        --- @include "includes/countMetrics"
        --- @include "includes/waitForChildren"
        made = {childCompleted = childCompleted, childFailed = childFailed, finishDedup = finishDedup, countMetrics = countMetrics,
                hasPendingChild = hasPendingChild, waitForChildren = waitForChildren}
    end
    return made
end

local HEAD = 9
local nowMs, now = serverTime()
local codes, jobs, jobKeys, lockKeys, childKeys = {}, {}, {}, {}, {}
local TRACED = {failed = true, retry = true, backoff = true}
local ended = {completed = completedKey, failed = failedKey}
-- Of each outcome.
local count, ids, texts, traces, groups = 0, {}, {}, {}, {}
local reply = {codes}
local ready, delayed, finished = false, false, {completed = 0, failed = 0}
-- Finished jobs of one kind and retention, in a row: they are added and trimmed at once.
local kept = {}

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

-- A small sorted set is one long string to the server, and each member added makes it read half of it: 3 µs with 100 kept jobs. A
-- member of more than 64 bytes turns it into a skip list, which it stays when that is gone: 0.3 µs.
local SMALL, LARGE = 32, 128
local sizes = {}
local function speedUp(set)
    local encoding = redis.pcall("OBJECT", "ENCODING", set)
    if encoding == "listpack" or encoding == "ziplist" then
        local long = string.rep("-", 65)
        call("ZADD", set, "0", long)
        call("ZREM", set, long)
    end
end

local function flush()
    if kept[1] then
        local size = sizes[kept.set]
        if size >= SMALL and size <= LARGE then
            speedUp(kept.set)
        end
        call("ZADD", kept.set, unpack(kept))
        if kept.keep ~= "" then
            keepFinished(kept.set, kept.keep, nowMs)
        end
    end
end

local function addFinished(set, keep, jobId)
    if kept.set ~= set or kept.keep ~= keep then
        flush()
        kept = {set = set, keep = keep}
    end
    local n = #kept
    kept[n + 1], kept[n + 2] = now, jobId
end

-- A count that is none begins anew: one below 0 would be tried for ever.
local function attemptsOf(job)
    local made = job[4] and tonumber(job[4]) or 0
    return made > 0 and made < 1e15 and string.format("%.0f", made + 1) or "1"
end

local function tellParent(kind, job, jobKey, text)
    local parentJson = call("HGET", jobKey, "parent")
    if kind == "completed" then
        rare().childCompleted(job[2], parentJson, jobKey, text, nowMs)
    else
        rare().childFailed(job[2], parentJson, jobKey, text, nowMs)
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
        attempt(i, rare().finishDedup, job[3], jobId, nowMs, now)
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

local function apply(i)
    local job, jobKey, jobId, text, group = jobs[i], jobKeys[i], ids[i], texts[i], groups[i]
    local kind, number = group.kind, group.number
    if kind == "completed" or kind == "failed" then
        finish(i, kind, job, jobKey, jobId, text, traces[i], number, group.keep)
    elseif kind == "retry" then
        countAttempt(job, jobKey, text, traces[i])
        wait(jobKey, jobId, number == "1" and "RPUSH" or "LPUSH")
    elseif kind == "backoff" then
        countAttempt(job, jobKey, text, traces[i])
        delay(jobKey, jobId, number)
    elseif kind == "delay" then
        delay(jobKey, jobId, number)
    elseif kind == "children" and rare().hasPendingChild(jobKey, text) then
        rare().waitForChildren(jobId, now)
    else
        giveBack(jobKey, jobId, number)
    end
end

local function readOutcomes()
    local at = HEAD + 1
    while ARGV[at] do
        local group = {token = ARGV[at], kind = ARGV[at + 1], number = ARGV[at + 2], keep = ARGV[at + 3]}
        local traced, set = TRACED[group.kind], ended[group.kind]
        if set then
            sizes[set] = call("ZCARD", set)
        elseif group.kind == "children" then
            call("ZCARD", base .. "waiting-children")
        end
        local last = count + tonumber(ARGV[at + 4])
        at = at + 5
        for i = count + 1, last do
            local jobKey = base .. ARGV[at]
            ids[i], texts[i], groups[i], jobKeys[i], lockKeys[i] = ARGV[at], ARGV[at + 1], group, jobKey, jobKey .. ":lock"
            if traced then
                traces[i] = ARGV[at + 2]
                at = at + 1
            elseif set then
                local n = #childKeys
                childKeys[n + 1], childKeys[n + 2] = jobKey .. ":dependencies", jobKey .. ":unsuccessful"
            end
            at = at + 2
        end
        count = last
    end
end

-- Jobs mostly end in the order in which they were taken, so many of them stand together at the tail of `active`. True when all of
-- `some` (a set of `n` ids) did, and are gone from there.
local WINDOW, FEW = 16, 4
local function popActive(some, n)
    local tail, rest, found = call("LRANGE", activeKey, -(n + WINDOW), "-1"), {}, 0
    local at = #tail
    while found < n and at > 0 do
        if some[tail[at]] then
            found, some[tail[at]] = found + 1, nil
        else
            table.insert(rest, 1, tail[at])
        end
        at = at - 1
    end
    if found < n then
        return false
    end
    call("RPOP", activeKey, #tail - at)
    if rest[1] then
        call("RPUSH", activeKey, unpack(rest))
    end
    return true
end

-- Takes the jobs whose outcome may be recorded out of `active`; the code of those that are not there becomes -3.
local function leaveActive(freedIds)
    local some, n = {}, 0
    for _, id in ipairs(freedIds) do
        n = n + (some[id] and 0 or 1)
        some[id] = true
    end
    if n >= FEW and n == #freedIds and popActive(some, n) then
        return
    end
    for i = 1, count do
        if codes[i] == 0 and call("LREM", activeKey, "-1", ids[i]) == 0 then
            codes[i] = -3
        end
    end
end

-- Metrics that can't be counted, for their keys hold something else, stop nothing.
local function collectMetrics()
    local points = tonumber(ARGV[9]) or 0
    for kind, n in pairs(finished) do
        if points > 0 and n > 0 then
            pcall(rare().countMetrics, base .. "metrics:" .. kind, n, points, nowMs, now)
        end
    end
end

-- Reads first: a key of a wrong type stops the script before anything is changed.
--- @include "includes/readMeta"
local maxEvents = readMaxEvents(meta[5], metaKey)
call("LLEN", waitKey)
call("ZCARD", delayedKey)
call("LLEN", activeKey)
readOutcomes()
local locks = count > 0 and call("MGET", unpack(lockKeys)) or {}
local hasChildren = childKeys[1] and call("EXISTS", unpack(childKeys)) > 0
local freed, freedIds = {}, {}
for i = 1, count do
    local job = tryCall("HMGET", jobKeys[i], "timestamp", "parentKey", "deid", "atm")
    local code = refusal(jobKeys[i], job, groups[i].kind, locks[i], groups[i].token, hasChildren)
    if code == 0 then
        freed[#freed + 1], freedIds[#freedIds + 1] = lockKeys[i], ids[i]
    elseif code == -4 or code == -9 then
        wanted = math.max(wanted - 1, 0) -- the worker still has it, to be failed
    end
    jobs[i], codes[i] = job, code
end
if freed[1] then
    leaveActive(freedIds)
    call("DEL", unpack(freed))
    tryCall("SREM", stalledKey, unpack(freedIds))
    tryCall("XTRIM", eventsKey, "MAXLEN", "~", maxEvents)
end
for i = 1, count do
    if codes[i] == 0 then
        apply(i)
    end
end
flush()
collectMetrics()
local taken = 0
do
    --- @include "includes/takeJobs"
end
if delayed then
    addDelayMarker(markerKey, delayedKey)
end
if finished.completed + finished.failed > 0 and taken == 0 and (wanted == 0 or reply[3] == 0 and reply[4] == 0)
    and call("EXISTS", waitKey, activeKey, prioritizedKey) == 0 then
    tryCall("XADD", eventsKey, "*", "event", "drained")
end
return reply
