--- @include "includes/workKeys"
--- @include "includes/addToState"
--- @include "includes/claimDedupKey"
--- @include "includes/emitEvent"
--- @include "includes/queueGate"
--- @include "includes/storeJob"

-- The deduplication key of a finished job goes, unless it lives on by its own time or names another job.
local function freeDedupKey(dedupKey, jobId)
    local ttl = call("PTTL", dedupKey)
    if ttl == 0 or ttl == -1 and call("GET", dedupKey) == jobId then
        call("DEL", dedupKey)
    end
end

local function enqueue(jobId, opts, delay, priority, nowMs)
    local closed, maxEvents = queueGate(metaKey, activeKey)
    trimEvents(eventsKey, maxEvents)
    if delay > 0 then
        addDelayed(delayedKey, jobId, nowMs + delay)
        emitEvent(eventsKey, "delayed", jobId, "delay", nowMs + delay)
        addDelayMarker(markerKey, delayedKey)
        return
    end
    addReady(waitKey, prioritizedKey, pcKey, opts.lifo and "RPUSH" or "LPUSH", jobId, priority)
    if not closed then
        addBaseMarker(markerKey)
    end
    emitEvent(eventsKey, "waiting", jobId)
end

-- A job with a deduplication id is finished: the id is free again. What was added under it while the job ran
-- (keepLastIfActive keeps the last of these in `dn:<id>`) becomes the next job.
-- Events: added, waiting or delayed.
local function finishDedup(dedupId, finishedId, nowMs, now)
    local dedupKey, nextKey = base .. "de:" .. dedupId, base .. "dn:" .. dedupId
    freeDedupKey(dedupKey, finishedId)
    local kept = call("HMGET", nextKey, "name", "data", "opts", "jid", "pk", "pd", "pdk", "rjk")
    if not kept[1] then
        return
    end
    local number = string.format("%.0f", call("INCR", base .. "id"))
    local jobId = kept[4] or number
    local opts = cjson.decode(kept[3] or "{}")
    local dedup = type(opts.de) == "table" and opts.de or {}
    local delay, priority = tonumber(opts.delay) or 0, tonumber(opts.priority) or 0
    local more = {}
    local function field(name, value)
        if value then
            more[#more + 1], more[#more + 2] = name, value
        end
    end
    field("parentKey", kept[5])
    field("parent", kept[5] and kept[6])
    field("rjk", kept[8])
    field("deid", type(dedup.id) == "string" and dedup.id)
    claimDedupKey(dedupKey, jobId, dedup)
    storeJob(eventsKey, base .. jobId, jobId, kept[1], kept[2] or "{}", kept[3] or "{}", now,
             string.format("%.0f", delay), string.format("%.0f", priority), unpack(more))
    enqueue(jobId, opts, delay, priority, nowMs)
    if kept[7] then
        call("SADD", kept[7], base .. jobId)
    end
    call("DEL", nextKey)
end
