-- Stops a queue, for all workers: its jobs stay where they are, and no marker wakes a worker.
--
-- Input:
--   KEYS  meta, marker, events
--
-- Output: 0
-- Events: paused

--- @include "includes/tryCall"

call("HSET", KEYS[1], "paused", "1")
call("DEL", KEYS[2])
tryCall("XADD", KEYS[3], "*", "event", "paused")
return 0
