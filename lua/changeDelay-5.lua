-- Gives a delayed job another due date.
--
-- Input:
--   KEYS  job, delayed, meta, marker, events
--   ARGV  1 job id
--         2 delay, ms
--         3 now, ms
--
-- Output: 0
-- Errors: -1 no such job, -3 not delayed
-- Events: delayed

--- @include "includes/delayedScore"
--- @include "includes/addMarker"
--- @include "includes/emitEvent"
--- @include "includes/getMaxEvents"

local JOB, DELAYED, META, MARKER, EVENTS = unpack(KEYS)
local id, delay = ARGV[1], ARGV[2]
local due = tonumber(ARGV[3]) + tonumber(delay)

if call("EXISTS", JOB) == 0 then
    return -1
end
if not call("ZSCORE", DELAYED, id) then
    return -3
end
call("HSET", JOB, "delay", delay)
call("ZADD", DELAYED, delayedScore(DELAYED, due), id)
emitEvent(EVENTS, "delayed", id, "delay", string.format("%.0f", due))
trimEvents(EVENTS, getMaxEvents(META))
addDelayMarker(MARKER, DELAYED)
return 0
