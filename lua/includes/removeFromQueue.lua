--- @include "includes/getMaxEvents"
--- @include "includes/removeDedupKey"
--- @include "includes/removeJobKeys"
--- @include "includes/tryCall"

local sets = { "completed", "waiting-children", "delayed", "failed", "prioritized" }
local lists = { "wait", "paused", "active" }

local function takeOutOfState(base, jobId)
    for _, set in ipairs(sets) do
        if tryCall("ZREM", base .. set, jobId) == 1 then
            return set
        end
    end
    for _, list in ipairs(lists) do
        if tryCall("LREM", base .. list, "1", jobId) == 1 then
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
