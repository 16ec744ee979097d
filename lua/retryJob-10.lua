-- Runs a finished job again.
--
-- Input:
--   KEYS  job, failed, completed, wait, prioritized, pc, meta, active, events, marker
--   ARGV  1 job id
--         2 "1": its attempts made count from 0 again
--         3 "1": likewise its attempts started
--
-- Output: 0
-- Errors: -1 no such job, -3 neither failed nor completed
-- Events: waiting (prev failed or completed)

--- @include "includes/addToState"
--- @include "includes/emitEvent"
--- @include "includes/giveBackToParent"
--- @include "includes/queueGate"

local JOB, FAILED, COMPLETED, WAIT, PRIORITIZED, PC, META, ACTIVE, EVENTS, MARKER = unpack(KEYS)
local id = ARGV[1]

local function isLifo()
    local ok, opts = pcall(cjson.decode, call("HGET", JOB, "opts") or "")
    return ok and type(opts) == "table" and opts.lifo and opts.lifo ~= cjson.null
end

if call("EXISTS", JOB) == 0 then
    return -1
end
local closed, maxEvents = queueGate(META, ACTIVE)
local prev, set, result
if call("ZSCORE", FAILED, id) then
    prev, set, result = "failed", FAILED, "failedReason"
elseif call("ZSCORE", COMPLETED, id) then
    prev, set, result = "completed", COMPLETED, "returnvalue"
else
    return -3
end
addReady(WAIT, PRIORITIZED, PC, isLifo() and "RPUSH" or "LPUSH", id, priorityOf(JOB))
call("ZREM", set, id) -- after it, so that a key of a wrong type loses no job
call("HDEL", JOB, "finishedOn", "processedOn", result)
if ARGV[2] == "1" then
    call("HDEL", JOB, "atm")
end
if ARGV[3] == "1" then
    call("HDEL", JOB, "ats")
end
if not closed then
    addBaseMarker(MARKER)
end
giveBackToParent(JOB, prev)
emitEvent(EVENTS, "waiting", id, "prev", prev)
trimEvents(EVENTS, maxEvents)
return 0
