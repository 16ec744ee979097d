--- @include "includes/getMaxEvents"
--- @include "includes/removeDedupKey"
--- @include "includes/removeJobKeys"
--- @include "includes/tryCall"

local sets = { "completed", "waiting-children", "delayed", "failed", "prioritized" }
local lists = { "wait", "paused", "active" }

-- How much the search in long lists has cost so far, in removals of jobs that need none.
local searched = 0

-- A job stands near an end of its list, or the whole list is searched.
local function takeOutOfList(list, jobId)
    local length = tryCall("LLEN", list) or 0
    if length == 0 then
        return false
    elseif tryCall("LPOS", list, jobId, "RANK", "-1", "MAXLEN", "1000") then
        return tryCall("LREM", list, "-1", jobId) == 1
    end
    if length > 2000 and not tryCall("LPOS", list, jobId, "MAXLEN", "1000") then
        searched = searched + length / 1000
    end
    return tryCall("LREM", list, "1", jobId) == 1
end

local function takeOutOfState(base, jobId)
    for _, set in ipairs(sets) do
        if tryCall("ZREM", base .. set, jobId) == 1 then
            return set
        end
    end
    for _, list in ipairs(lists) do
        if takeOutOfList(base .. list, jobId) then
            return list
        end
    end
    return "unknown"
end

-- Removes one job from whatever state it is in, with all that belongs to it. Returns whether there was anything of it.
-- What is broken about it stops nothing. Event: removed (prev: the state it was in).
local function removeFromQueue(base, jobId)
    local prev = takeOutOfState(base, jobId)
    pcall(removeDedupKey, base, jobId, tryCall("HGET", base .. jobId, "deid"))
    if removeJobKeys(base .. jobId) == 0 then
        return prev ~= "unknown"
    end
    local known, maxEvents = pcall(getMaxEvents, base .. "meta")
    tryCall("XADD", base .. "events", "MAXLEN", "~", known and maxEvents or "10000", "*", "event", "removed", "jobId", jobId,
            "prev", prev)
    return true
end
