-- Leaves word of a failed load where its lease still stands, for those who wait for it.
--
-- Input:  KEYS[1] the key
--         ARGV[1] the lease, ARGV[2] the word, ARGV[3] its life in ms
-- Output: 1 done; 0: the lease no longer stands
-- Errors: those of SET (OOM, READONLY); the lease is given up then
--- @include "includes/tryCall"
if tryCall("GETRANGE", KEYS[1], "0", #ARGV[1] - 1) ~= ARGV[1] then
    return 0
end
local set = redis.pcall("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
if set.err then
    tryCall("UNLINK", KEYS[1])
    return set
end
return 1
