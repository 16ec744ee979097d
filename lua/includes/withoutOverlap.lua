--- @include "includes/addSchedulerJob"
--- @include "includes/claimDedupKey"
--- @include "includes/schedulerRuns"

-- Adds the run of a schedule whose runs must not overlap, by its `policy`. It works with workers of all kinds, for it is made of what they
-- know: "skip" and "one" are a deduplication id that a run owns until it has ended, "one" with keepLastIfActive; with "all" a run is the
-- parent of the run before. `last`: time of the run before (text), for "all".
--
-- As putSchedulerJob. Returns "w" when the job was added or is to follow, "s" when the run is skipped. Events: as addSchedulerJob, deduplicated, or
-- waiting-children.
local function addWithoutOverlap(policy, msText, now, nowText, job, last)
    local function owner()
        local id = tryCall("GET", base .. "de:" .. overlapId())
        return id and call("EXISTS", base .. id) == 1 and id
    end

    local function follow(ownerId)
        local nextKey = base .. "dn:" .. overlapId()
        local isStarted = call("HEXISTS", base .. ownerId, "ats") == 1
        if policy ~= "one" or not isStarted or call("EXISTS", nextKey) == 1 then
            return "s" -- of two runs that have not begun one is enough
        end
        call("HSET", nextKey, "name", job.name, "data", job.data, "opts", schedulerJobOpts(msText, nowText, "0", job), "jid",
             jobIdAt(msText), "rjk", schedulerId)
        emitEvent(eventsKey, "deduplicated", ownerId, "deduplicationId", overlapId(), "deduplicatedJobId", jobIdAt(msText))
        return "w"
    end

    local function queueBehind(before)
        local id = jobIdAt(msText)
        call("INCR", idKey)
        storeJob(eventsKey, base .. id, id, job.name, job.data, schedulerJobOpts(msText, nowText, "0", job), nowText, "0",
                 job.priority, "rjk", schedulerId)
        call("SADD", base .. id .. ":dependencies", base .. before)
        call("HSET", base .. before, "parentKey", base .. id, "parent",
             cjson.encode({ id = id, queueKey = string.sub(base, 1, -2), rdof = true }))
        call("ZADD", base .. "waiting-children", nowText, id)
        emitEvent(eventsKey, "waiting-children", id)
        return "w"
    end

    if policy == "all" then
        local before = last and jobIdAt(last)
        local fields = before and call("HMGET", base .. before, "name", "finishedOn", "parentKey") or {}
        if fields[1] and not fields[2] and not fields[3] then
            return queueBehind(before)
        end
    else
        local ownerId = owner()
        if ownerId then
            return follow(ownerId)
        end
        call("DEL", base .. "dn:" .. overlapId())
        claimDedupKey(base .. "de:" .. overlapId(), jobIdAt(msText), {})
        job.dedupId = overlapId()
    end
    putSchedulerJob(msText, now, nowText, job)
    return "w"
end
