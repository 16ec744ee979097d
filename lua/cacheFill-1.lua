-- Stores a loaded value if the lease that its load began with still stands.
--
-- Input:  KEYS[1] the key
--         ARGV[1] the lease, ARGV[2] the value, ARGV[3] its life in ms, empty: no end
-- Output: 1 stored; 0 not: the key was deleted, set or leased anew since
-- Errors: those of SET (OOM, READONLY); the lease is given up then
--- @include "includes/tryCall"
if tryCall("GETRANGE", KEYS[1], "0", #ARGV[1]) ~= ARGV[1] then
    return 0
end
local set
if ARGV[3] == "" then
    set = redis.pcall("SET", KEYS[1], ARGV[2])
else
    set = redis.pcall("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
end
if set.err then
    tryCall("UNLINK", KEYS[1])
    return set
end
return 1
