--- @include "includes/isInList"
--- @include "includes/schedulerKeys"
--- @include "includes/removeDedupKey"
--- @include "includes/removeJobKeys"

-- How far from each end `wait` is searched: a due job stands near one of them.
local WAIT_REACH = "100000"

-- Where a scheduler's job is that no worker has taken yet: "delayed", "prioritized", "waiting"; nil when it is none of them.
local function pendingState(id)
    if call("ZSCORE", delayedKey, id) then
        return "delayed"
    elseif call("ZSCORE", prioritizedKey, id) then
        return "prioritized"
    elseif call("EXISTS", base .. id) == 1 and isInList(waitKey, id, WAIT_REACH) then
        return "waiting"
    end
    return nil
end

-- Removes such a job with all that belongs to it. `state` is its pendingState.
local function removePending(id, state)
    local key = base .. id
    if state == "delayed" then
        call("ZREM", delayedKey, id)
    elseif state == "prioritized" then
        call("ZREM", prioritizedKey, id)
    else
        call("LREM", waitKey, call("LPOS", waitKey, id, "MAXLEN", WAIT_REACH) and "1" or "-1", id)
    end
    removeDedupKey(base, id, call("HGET", key, "deid"))
    removeJobKeys(key)
end
