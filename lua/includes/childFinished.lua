--- @include "includes/emitEvent"
--- @include "includes/addToState"
--- @include "includes/jobKey"
--- @include "includes/queueGate"

-- A parent that need not wait for children any more goes out of the set `from`: to `delayed` when its own delay is still to come, else to
-- where it is taken from, at the head. It leaves the set last: where a key of a wrong type ends this, it is not lost.
-- Events: waiting (prev waiting-children) or delayed.
local function readyParent(parentBase, parentId, nowMs, from)
    local parent = call("HMGET", parentBase .. parentId, "priority", "delay")
    local delay = tonumber(parent[2]) or 0
    if delay > 0 then
        local due = nowMs + delay
        call("ZADD", parentBase .. "delayed", due * 4096, parentId)
        call("ZREM", from, parentId)
        emitEvent(parentBase .. "events", "delayed", parentId, "delay", due)
        addDelayMarker(parentBase .. "marker", parentBase .. "delayed")
        return
    end
    local closed = queueGate(parentBase .. "meta", parentBase .. "active")
    addReady(parentBase .. "wait", parentBase .. "prioritized", parentBase .. "pc", "RPUSH", parentId,
             tonumber(parent[1]) or 0)
    call("ZREM", from, parentId)
    if not closed then
        addBaseMarker(parentBase .. "marker")
    end
    emitEvent(parentBase .. "events", "waiting", parentId, "prev", "waiting-children")
end

local function releaseWaitingParent(parentBase, parentId, nowMs)
    local from = parentBase .. "waiting-children"
    if call("EXISTS", parentBase .. parentId) == 1 and call("ZSCORE", from, parentId) then
        readyParent(parentBase, parentId, nowMs, from)
    end
end

local function releaseParentOfLast(parentBase, parentId, nowMs)
    if call("EXISTS", parentBase .. parentId .. ":dependencies") == 0 then
        releaseWaitingParent(parentBase, parentId, nowMs)
    end
end

-- A child failed for good, and its parent is to fail with it: at once when it waits, else when it is taken next.
local function failParent(parentBase, parentId, jobKey, nowMs)
    local parentKey = parentBase .. parentId
    if call("EXISTS", parentKey) == 0 then
        return
    end
    local from = parentBase .. "waiting-children"
    if not call("ZSCORE", from, parentId) then
        from = parentBase .. "delayed"
        if call("ZSCORE", from, parentId) then
            call("HSET", parentKey, "delay", "0")
        else
            from = nil
        end
    end
    if from or not call("ZSCORE", parentBase .. "failed", parentId) then
        call("HSET", parentKey, "defa", "child " .. jobKey .. " failed")
    end
    if from then
        readyParent(parentBase, parentId, nowMs, from)
    end
end

-- Base of the parent's queue, the parent's id, and the child's options about it (a table).
local function parentOf(parentKey, parentJson)
    local known, parent = pcall(cjson.decode, parentJson or "")
    if known and type(parent) == "table" and type(parent.queueKey) == "string" and type(parent.id) == "string" then
        return parent.queueKey .. ":", parent.id, parent
    end
    local parentBase, parentId = splitJobKey(parentKey)
    return parentBase, parentId, {}
end

-- A child is completed: its result goes to the parent.
local function childCompleted(parentKey, parentJson, jobKey, returnValue, nowMs)
    local parentBase, parentId = parentOf(parentKey, parentJson)
    if call("SREM", parentKey .. ":dependencies", jobKey) == 1 then
        call("HSET", parentKey .. ":processed", jobKey, returnValue)
        releaseParentOfLast(parentBase, parentId, nowMs)
    end
end

-- A child failed for good. By its options the parent fails too (fpof), goes on at once (cpof) or without it (idof,
-- rdof); with none of them it keeps waiting.
local function childFailed(parentKey, parentJson, jobKey, reason, nowMs)
    local parentBase, parentId, opts = parentOf(parentKey, parentJson)
    if not (opts.fpof or opts.cpof or opts.idof or opts.rdof)
        or call("SREM", parentBase .. parentId .. ":dependencies", jobKey) == 0 then
        return
    end
    if opts.fpof then
        call("ZADD", parentBase .. parentId .. ":unsuccessful", nowMs, jobKey)
        failParent(parentBase, parentId, jobKey, nowMs)
        return
    end
    if not opts.rdof or opts.cpof or opts.idof then
        call("HSET", parentBase .. parentId .. ":failed", jobKey, reason)
    end
    if opts.cpof then
        releaseWaitingParent(parentBase, parentId, nowMs)
    else
        releaseParentOfLast(parentBase, parentId, nowMs)
    end
end
