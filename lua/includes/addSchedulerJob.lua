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

local added, ready, someReady, someDelayed = 0, {}, false, false -- since announceSchedulerJobs()

-- Stores the scheduler's job of the time `msText` and puts it where it belongs; announceSchedulerJobs() must follow. `job` has the texts name,
-- data, priority, push ("LPUSH" or "RPUSH" into wait), dedupId (empty: none), and head: its stored options without what is known only here and
-- without the last brace. With hasPrev (by pattern) they name the run's time, too. `due` (a number): when it is to be taken; nil: at its time.
-- Events: added, then waiting or delayed. Returns the job's id.
local function putSchedulerJob(msText, now, nowText, job)
    local due = job.due or tonumber(msText)
    local isDelayed = due > now
    local delayText = isDelayed and string.format("%.0f", due - now) or "0"
    local id = jobIdAt(msText)
    local opts = schedulerJobOpts(msText, nowText, delayText, job)
    if job.dedupId == "" then
        storeJob(eventsKey, base .. id, id, job.name, job.data, opts, nowText, delayText, job.priority, "rjk", schedulerId)
    else
        storeJob(eventsKey, base .. id, id, job.name, job.data, opts, nowText, delayText, job.priority, "rjk", schedulerId,
                 "deid", job.dedupId)
    end
    added = added + 1
    if isDelayed then
        addDelayed(delayedKey, id, due)
        emitEvent(eventsKey, "delayed", id, "delay", string.format("%.0f", due))
        someDelayed = true
        return id
    elseif job.priority == "0" and job.push == "LPUSH" then
        ready[#ready + 1] = id
    else
        addReady(waitKey, prioritizedKey, pcKey, job.push, id, tonumber(job.priority))
    end
    emitEvent(eventsKey, "waiting", id)
    someReady = true
    return id
end

-- What was put is made known: counted, ready jobs stand in line, a worker wakes, the stream of events is cut.
local function announceSchedulerJobs()
    if added == 0 then
        return
    end
    local closed, maxEvents = queueGate(metaKey, activeKey)
    call("INCRBY", idKey, added)
    if #ready > 0 then
        call("LPUSH", waitKey, unpack(ready))
    end
    if someReady and not closed then
        addBaseMarker(markerKey)
    end
    if someDelayed then
        addDelayMarker(markerKey, delayedKey)
    end
    trimEvents(eventsKey, maxEvents)
    added, ready, someReady, someDelayed = 0, {}, false, false
end

-- Both, for one job.
local function addSchedulerJob(msText, now, nowText, job)
    local id = putSchedulerJob(msText, now, nowText, job)
    announceSchedulerJobs()
    return id
end
