-- Lets a queue run again, and wakes a worker if there is something to take or to wait for.
--
-- Input:
--   KEYS  meta, marker, events, wait, prioritized, delayed, paused
--   ARGV  1 most jobs to take over from `paused` in this call
--         2 "1" to emit the event
--
-- Output:
--   how many jobs are left in `paused`, where BullMQ 5 put the jobs of a paused queue: call again until 0
--
-- Events: resumed

--- @include "includes/addMarker"

local META, MARKER, EVENTS, WAIT, PRIORITIZED, DELAYED, PAUSED = unpack(KEYS)

call("HDEL", META, "paused")

local ids = tryCall("LRANGE", PAUSED, "0", ARGV[1] - 1) or {}
if #ids > 0 then
    call("RPUSH", WAIT, unpack(ids))
    call("LTRIM", PAUSED, #ids, "-1")
end

if call("LLEN", WAIT) > 0 or call("ZCARD", PRIORITIZED) > 0 then
    addBaseMarker(MARKER)
else
    addDelayMarker(MARKER, DELAYED)
end
if ARGV[2] == "1" then
    tryCall("XADD", EVENTS, "*", "event", "resumed")
end
return tryCall("LLEN", PAUSED) or 0
