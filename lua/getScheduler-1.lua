-- Reads one job scheduler.
--
-- Input:
--   KEYS  repeat
--   ARGV  1 its id
--
-- Output: {now, its next run; empty: there is none, its hash (flat)}

--- @include "includes/serverTime"

local _, nowText = serverTime()
return { nowText, call("ZSCORE", KEYS[1], ARGV[1]) or "", call("HGETALL", KEYS[1] .. ":" .. ARGV[1]) }
