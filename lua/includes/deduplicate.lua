--- @include "includes/addToState"
--- @include "includes/claimDedupKey"
--- @include "includes/emitEvent"
--- @include "includes/removeJobKeys"
--- @include "includes/tryCall"

-- The owner waits in `delayed` and the newer job takes its place. Events: removed, deduplicated.
local function replaceOwner(queue, dedup, dedupKey, owner, jobId)
    removeJobKeys(queue.base .. owner)
    emitEvent(queue.events, "removed", owner, "prev", "delayed")
    emitEvent(queue.events, "deduplicated", jobId, "deduplicationId", dedup.id, "deduplicatedJobId", owner)
    call("DEL", queue.base .. "dn:" .. dedup.id)
    local ttl = tonumber(dedup.ttl) or 0
    if ttl > 0 and not dedup.extend and not dedup.keepLastIfActive then
        call("SET", dedupKey, jobId, "KEEPTTL")
    else
        claimDedupKey(dedupKey, jobId, dedup)
    end
end

-- What came while the owner is active is kept, the last of it, until the owner is finished (see finishDedup). The id
-- must not run out before that. Event: deduplicated.
local function keepForLater(queue, dedup, dedupKey, owner, job)
    local nextKey = queue.base .. "dn:" .. dedup.id
    call("DEL", nextKey)
    call("HSET", nextKey, "name", job.name, "data", job.data, "opts", job.opts, "jid", job.id)
    call("PERSIST", dedupKey)
    emitEvent(queue.events, "deduplicated", owner, "deduplicationId", dedup.id, "deduplicatedJobId", job.id)
end

-- Event: delayed.
local function rescheduleOwner(queue, owner, job)
    local delay = tonumber(job.delay)
    local due = tonumber(job.timestamp) + delay
    tryCall("HSET", queue.base .. owner, "delay", job.delay)
    addDelayed(queue.delayed, owner, due)
    emitEvent(queue.events, "delayed", owner, "delay", string.format("%.0f", due))
    addDelayMarker(queue.marker, queue.delayed)
end

-- Which job has the deduplication id of a job that is to be added? Nothing when that job owns it now and is to be stored;
-- else the id of the owner, which stays instead of it. `de:<id>` names the owner; by the modes of `dedup` (the `de` of the job's
-- stored options) an owner is replaced, its time runs anew, it gets the job's delay, or the job is kept for later.
--
--   queue  base and the keys delayed, active, events, marker. Everything added before must be in `delayed`.
--   job    id, name, data, opts, timestamp, delay: texts
--
-- A key without expiry whose owner is gone is left over from an accident: the job takes it. So it does with a key that
-- is no text.
local function deduplicate(queue, dedup, job)
    local dedupKey = queue.base .. "de:" .. dedup.id
    local owner = tryCall("GET", dedupKey)
    if not owner then
        claimDedupKey(dedupKey, job.id, dedup)
        return
    end
    if dedup.replace and call("ZREM", queue.delayed, owner) == 1 then
        replaceOwner(queue, dedup, dedupKey, owner, job.id)
        return
    end
    if call("PTTL", dedupKey) == -1 and call("EXISTS", queue.base .. owner) == 0 then
        call("DEL", queue.base .. "dn:" .. dedup.id)
        claimDedupKey(dedupKey, job.id, dedup)
        return
    end
    if dedup.keepLastIfActive and call("LPOS", queue.active, owner) then
        keepForLater(queue, dedup, dedupKey, owner, job)
        return owner
    end
    if dedup.replace then
        return owner
    end
    if dedup.extend and (tonumber(dedup.ttl) or 0) > 0 then
        claimDedupKey(dedupKey, owner, dedup)
    end
    emitEvent(queue.events, "deduplicated", owner, "deduplicationId", dedup.id, "deduplicatedJobId", job.id)
    if dedup.reschedule and call("ZSCORE", queue.delayed, owner) then
        rescheduleOwner(queue, owner, job)
    end
    return owner
end
