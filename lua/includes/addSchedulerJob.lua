--- @include "includes/addToState"
--- @include "includes/emitEvent"
--- @include "includes/queueGate"
--- @include "includes/schedulerKeys"
--- @include "includes/storeJob"

-- The stored options of a job: `job.head` and what is known only here.
local function schedulerJobOpts(msText, nowText, delayText, job)
    return job.head .. ',"jobId":"repeat:' .. escapedId .. ":" .. msText .. '","timestamp":' .. nowText .. ',"delay":' .. delayText ..
               (job.hasPrev and ',"prevMillis":' .. msText or "") .. "}"
end

-- Adds the scheduler's job at `ms` (a number). `job` has the texts name, data, priority, push ("LPUSH" or "RPUSH" into wait),
-- dedupId (empty: none), and head: its stored options without what is known only here and without the last brace. With
-- hasPrev (by pattern) they name the run's time, too. `due` (a number): when it is to be taken; nil: at `ms`.
-- Events: added, then waiting or delayed. Returns the job's id.
local function addSchedulerJob(ms, now, nowText, job)
    local msText = string.format("%.0f", ms)
    local due = job.due or ms
    local delay = math.max(due - now, 0)
    local delayText = string.format("%.0f", delay)
    local id = jobIdAt(msText)
    local opts = schedulerJobOpts(msText, nowText, delayText, job)
    local closed, maxEvents = queueGate(metaKey, activeKey)
    call("INCR", idKey)
    if job.dedupId == "" then
        storeJob(eventsKey, base .. id, id, job.name, job.data, opts, nowText, delayText, job.priority, "rjk", schedulerId)
    else
        storeJob(eventsKey, base .. id, id, job.name, job.data, opts, nowText, delayText, job.priority, "rjk", schedulerId,
                 "deid", job.dedupId)
    end
    if delay > 0 then
        addDelayed(delayedKey, id, due)
        addDelayMarker(markerKey, delayedKey)
        emitEvent(eventsKey, "delayed", id, "delay", string.format("%.0f", due))
    else
        addReady(waitKey, prioritizedKey, pcKey, job.push, id, tonumber(job.priority))
        if not closed then
            addBaseMarker(markerKey)
        end
        emitEvent(eventsKey, "waiting", id)
    end
    trimEvents(eventsKey, maxEvents)
    return id
end
