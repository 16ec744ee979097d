-- How many jobs ended, in all and minute by minute, at one moment.
--
-- Input:  KEYS: metrics:completed or metrics:failed, its :data
--         ARGV: first point, last point
-- Output: {count, prevTS, prevCount (each nil: never), points that are stored, {point, …}}
--- @include "includes/call"
local stored = call("HMGET", KEYS[1], "count", "prevTS", "prevCount")
local points = call("LRANGE", KEYS[2], ARGV[1], ARGV[2])
return {stored[1], stored[2], stored[3], call("LLEN", KEYS[2]), points}
