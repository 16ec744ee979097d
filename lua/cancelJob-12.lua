-- Cancels a job. One that is not running has failed at once; one that runs is not tried again, and its worker is told if
-- it is one of ours: by the channel `{base}sc:cancel`, and by a key that it finds when it renews the lock.
--
-- Input:  KEYS as in includes/workKeys
--         ARGV 1 base of the queue's keys, 2 to 4 "" (of includes/workKeys), 5 job id, 6 reason, not empty
--              7 how far into a list the job is looked for, from each end
-- Output: 0 it has failed; 1 it runs, and its worker is told; 2 it runs in a worker that can't be told; 3 it waits for its
--         children, or far inside a long list: it fails when it is taken next, without being run
-- Errors: -1 no such job, -3 it is finished, or in no state, -8 a job scheduler waits for it
-- Events: failed (prev: the state it was in); those of its parent; those of the job that its deduplication id held back
--- @include "includes/workKeys"
--- @include "includes/childFinished"
--- @include "includes/finishDedup"
--- @include "includes/isInList"
--- @include "includes/isPendingSchedulerJob"
--- @include "includes/keepFinished"
--- @include "includes/keepOf"
--- @include "includes/serverTime"
local id, reason, reach = ARGV[5], ARGV[6], ARGV[7]
local jobKey = base .. id
local lockKey, cancelKey, channel = jobKey .. ":lock", base .. "sc:cancel:" .. id, base .. "sc:cancel"
local nowMs, now = serverTime()

-- Whoever takes the job next, of whatever make, fails it with this text.
local function defer()
    call("HSETNX", jobKey, "defa", reason)
end

-- Tokens of ours begin with "sc:". The key ends with the lock that it is about.
local function tellOwner()
    local token = call("GET", lockKey)
    if not token or string.sub(token, 1, 3) ~= "sc:" then
        return 2
    end
    call("SET", cancelKey, token .. "\n" .. reason, "PX", math.max(call("PTTL", lockKey), 1) + 1000)
    redis.pcall("PUBLISH", channel, #id .. ":" .. id .. token .. "\n" .. reason)
    return 1
end

-- In which list or set it waits, taken out of it; else nil, and whether a list is too long to be searched.
local function takeOut()
    if call("ZREM", delayedKey, id) == 1 then
        return "delayed"
    elseif call("ZREM", prioritizedKey, id) == 1 then
        return "prioritized"
    end
    local long = false
    for _, name in ipairs({"wait", "paused"}) do
        local list = base .. name
        if call("LPOS", list, id, "RANK", "-1", "MAXLEN", reach) then
            call("LREM", list, "-1", id)
            return "waiting"
        elseif call("LPOS", list, id, "MAXLEN", reach) then
            call("LREM", list, "1", id)
            return "waiting"
        end
        long = long or call("LLEN", list) > tonumber(reach) * 2
    end
    return nil, long
end

local function store(keep, parentKey)
    if string.sub(keep, 1, 2) == "0:" then
        removeJobKeys(jobKey)
        if parentKey and parentKey ~= "" then
            pcall(releaseParent, parentKey, jobKey)
        end
        return
    end
    call("HSET", jobKey, "failedReason", reason, "finishedOn", now, "delay", "0")
    call("HDEL", jobKey, "defa")
    call("ZADD", failedKey, now, id)
    if keep ~= "" then
        keepFinished(failedKey, keep, nowMs)
    end
end

-- What hangs on others' data may fail; the job is cancelled all the same.
local function fail(prev)
    local job = call("HMGET", jobKey, "parentKey", "parent", "deid", "opts")
    if job[3] then
        pcall(finishDedup, job[3], id, nowMs, now)
    end
    if job[1] and job[1] ~= "" then
        pcall(childFailed, job[1], job[2], jobKey, reason, nowMs)
    end
    store(keepOf(job[4], "removeOnFail"), job[1])
    tryEvent(eventsKey, "failed", id, "failedReason", reason, "prev", prev)
    return 0
end

if call("EXISTS", jobKey) == 0 then
    return -1
elseif isPendingSchedulerJob(jobKey, id, base .. "repeat") then
    return -8
elseif call("EXISTS", lockKey) == 1 or isInList(activeKey, id, reach) then
    defer()
    return tellOwner()
elseif call("ZSCORE", base .. "waiting-children", id) then
    defer()
    return 3
end
call("ZCARD", failedKey) -- a key of a wrong type ends the script here, before the job is taken out of the other
local prev, long = takeOut()
if prev then
    return fail(prev)
elseif long and not call("ZSCORE", completedKey, id) and not call("ZSCORE", failedKey, id) then
    defer()
    return 3
end
return -3
