--- @include "includes/getMaxEvents"
--- @include "includes/removeDedupKey"
--- @include "includes/removeJobKeys"

local sets = { "completed", "waiting-children", "delayed", "failed", "prioritized" }
local lists = { "wait", "paused", "active" }

local function takeOutOfState(base, jobId)
    for _, set in ipairs(sets) do
        if call("ZREM", base .. set, jobId) == 1 then
            return set
        end
    end
    for _, list in ipairs(lists) do
        if call("LREM", base .. list, "1", jobId) == 1 then
            return list
        end
    end
    return "unknown"
end

-- Removes one job from whatever state it is in, with all that belongs to it. Returns whether there was anything of it.
-- Event: removed (prev: the state it was in).
local function removeFromQueue(base, jobId)
    local prev = takeOutOfState(base, jobId)
    removeDedupKey(base, jobId, call("HGET", base .. jobId, "deid"))
    if removeJobKeys(base .. jobId) == 0 then
        return prev ~= "unknown"
    end
    call("XADD", base .. "events", "MAXLEN", "~", getMaxEvents(base .. "meta"), "*", "event", "removed", "jobId", jobId,
         "prev", prev)
    return true
end
