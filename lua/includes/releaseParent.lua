--- @include "includes/emitEvent"
--- @include "includes/addMarker"
--- @include "includes/jobKey"
--- @include "includes/queueGate"

-- Takes a job out of its parent's `dependencies`, when it is removed. If it was the last one, a parent
-- that waits for its children goes to the head of its queue's `wait`. Event: waiting (prev waiting-children).
-- Nothing happens when there is no parent.
local function releaseParent(parentKey, jobKey)
    if call("SREM", parentKey .. ":dependencies", jobKey) == 0 or call("EXISTS", parentKey .. ":dependencies") == 1 then
        return
    end
    local base, parentId = splitJobKey(parentKey)
    if not call("ZSCORE", base .. "waiting-children", parentId) then
        return
    end
    local closed = queueGate(base .. "meta", base .. "active")
    call("RPUSH", base .. "wait", parentId)
    call("ZREM", base .. "waiting-children", parentId) -- after it, so that a key of a wrong type loses no job
    if not closed then
        addBaseMarker(base .. "marker")
    end
    emitEvent(base .. "events", "waiting", parentId, "prev", "waiting-children")
end
