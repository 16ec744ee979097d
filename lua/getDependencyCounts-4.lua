-- Counts a job's children, at one moment.
--
-- Input:  KEYS: the job's processed, dependencies, failed, unsuccessful
-- Output: four counts, in the order of the keys
--- @include "includes/call"
return { call("HLEN", KEYS[1]), call("SCARD", KEYS[2]), call("HLEN", KEYS[3]), call("ZCARD", KEYS[4]) }
