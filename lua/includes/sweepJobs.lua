--- @include "includes/addMarker"
--- @include "includes/isJobId"
--- @include "includes/jobKey"
--- @include "includes/queueGate"
--- @include "includes/removeDedupKey"
--- @include "includes/removeJobKeys"
--- @include "includes/tryCall"

-- A job goes for good: its parent does not wait for it any more. A parent in the same queue that has no other child left goes,
-- too, and so on upwards; one in another queue is made ready.
local function leaveParent(base, jobKey, parentKey)
    while parentKey and parentKey ~= "" do
        if call("SREM", parentKey .. ":dependencies", jobKey) == 0 or call("EXISTS", parentKey .. ":dependencies") == 1 then
            return
        end
        local parentBase, parentId = splitJobKey(parentKey)
        if not call("ZSCORE", parentBase .. "waiting-children", parentId) then
            return
        end
        if parentBase ~= base then
            call("RPUSH", parentBase .. "wait", parentId)
            call("ZREM", parentBase .. "waiting-children", parentId) -- after it, so that a key of a wrong type loses no job
            if not queueGate(parentBase .. "meta", parentBase .. "active") then
                addBaseMarker(parentBase .. "marker")
            end
            return
        end
        local parent = call("HMGET", parentKey, "parentKey", "deid")
        removeDedupKey(base, parentId, parent[2])
        removeJobKeys(parentKey)
        call("ZREM", parentBase .. "waiting-children", parentId)
        jobKey, parentKey = parentKey, parent[1]
    end
end

-- Removes jobs that have been taken out of their state: at most 1,000. What is broken about one stops no other.
local function sweepJobs(base, ids)
    local keys, n = {}, 0
    for _, id in ipairs(ids) do
        local jobKey = base .. id
        local job = tryCall("HMGET", jobKey, "parentKey", "deid") or {}
        if job[1] then
            pcall(leaveParent, base, jobKey, job[1])
        end
        if job[2] then
            pcall(removeDedupKey, base, id, job[2])
        end
        if isJobId(id) then
            keys[n + 1], keys[n + 2], keys[n + 3] = jobKey, jobKey .. ":logs", jobKey .. ":dependencies"
            keys[n + 4], keys[n + 5], keys[n + 6] = jobKey .. ":processed", jobKey .. ":failed", jobKey .. ":unsuccessful"
            n = n + 6
        end
    end
    if n > 0 then
        call("UNLINK", unpack(keys))
    end
end
