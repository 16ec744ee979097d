-- Removes a job scheduler and its pending job. A job of it that a worker has taken is left to run.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--
-- Output: 1; 0 there is no such scheduler
-- Events: removed (prev: the state the pending job was in)

--- @include "includes/emitEvent"
--- @include "includes/pendingJob"

local score = call("ZSCORE", repeatKey, schedulerId)
if not score then
    return 0
end
local id = jobIdAt(score)
local state = pendingState(id)
if state then
    removePending(id, state)
    emitEvent(eventsKey, "removed", id, "prev", state)
end
call("ZREM", repeatKey, schedulerId)
call("DEL", schedulerKey, base .. "dn:repeat:" .. schedulerId) -- and the run that would follow the one under way
return 1
