--- @include "includes/getMaxEvents"
--- @include "includes/removeDedupKey"
--- @include "includes/removeJobKeys"
--- @include "includes/takeOutOfList"
--- @include "includes/tryCall"

local sets = { "completed", "waiting-children", "delayed", "failed", "prioritized" }
local lists = { "wait", "paused", "active" }

-- How much the search in long lists has cost so far, in removals of jobs that need none.
local searched = 0

local function isBuriedInQueue(base, jobId)
    for _, set in ipairs(sets) do
        if tryCall("ZSCORE", base .. set, jobId) then
            return false
        end
    end
    return isBuried(base .. "wait", jobId) or isBuried(base .. "paused", jobId) or isBuried(base .. "active", jobId)
end

local function takeOutOfState(base, jobId, place)
    for _, set in ipairs(sets) do
        if tryCall("ZREM", base .. set, jobId) == 1 then
            return set
        end
    end
    local isNowhere = place and place.fromEnd == 0
    if place and not isNowhere and takeOutOfList(base .. place.list, jobId, place.fromEnd) then
        return place.list
    end
    for _, list in ipairs(lists) do
        local length = tryCall("LLEN", base .. list) or 0
        if length > 0 then
            local taken, whole = takeOutOfList(base .. list, jobId, isNowhere and 0 or nil)
            searched = searched + (whole and math.floor(length / 1000) or 0)
            if taken then
                return list
            end
        end
    end
    return "unknown"
end

-- Removes one job from whatever state it is in, with all that belongs to it. Returns whether there was anything of it.
-- What is broken about it stops nothing. `place` is where the caller found it: list, fromEnd; may be nil.
-- Event: removed (prev: the state it was in).
local function removeFromQueue(base, jobId, place)
    local prev = takeOutOfState(base, jobId, place)
    pcall(removeDedupKey, base, jobId, tryCall("HGET", base .. jobId, "deid"))
    if removeJobKeys(base .. jobId) == 0 then
        return prev ~= "unknown"
    end
    local known, maxEvents = pcall(getMaxEvents, base .. "meta")
    tryCall("XADD", base .. "events", "MAXLEN", "~", known and maxEvents or "10000", "*", "event", "removed", "jobId", jobId,
            "prev", prev)
    return true
end
