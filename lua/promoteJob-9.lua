-- Makes a delayed job ready now.
--
-- Input:
--   KEYS  job, delayed, wait, prioritized, pc, meta, active, events, marker
--   ARGV  1 job id
--
-- Output: 0
-- Errors: -1 no such job, -3 not delayed
-- Events: waiting (prev delayed)

--- @include "includes/addToState"
--- @include "includes/emitEvent"
--- @include "includes/queueGate"

local JOB, DELAYED, WAIT, PRIORITIZED, PC, META, ACTIVE, EVENTS, MARKER = unpack(KEYS)
local id = ARGV[1]

if call("EXISTS", JOB) == 0 then
    return -1
end
local closed = queueGate(META, ACTIVE)
if not call("ZSCORE", DELAYED, id) then
    return -3
end
addReady(WAIT, PRIORITIZED, PC, "LPUSH", id, priorityOf(JOB))
call("ZREM", DELAYED, id) -- after it, so that a key of a wrong type loses no job
if not closed then
    addBaseMarker(MARKER)
end
emitEvent(EVENTS, "waiting", id, "prev", "delayed")
call("HSET", JOB, "delay", "0")
return 0
