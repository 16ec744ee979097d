-- Do as many jobs run as the queue's global concurrency allows?
--
-- Input:  KEYS: meta, active
-- Output: 1 yes, 0 no
--- @include "includes/call"
local concurrency = tonumber(call("HGET", KEYS[1], "concurrency"))
return concurrency and call("LLEN", KEYS[2]) >= concurrency and 1 or 0
