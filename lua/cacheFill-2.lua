-- Stores a loaded value if what its load began with still stands in the key: a lease, or an older value; and if none of its
-- tags was deleted or expired since.
--
-- Input:  KEYS[1] the key, KEYS[2] the tag clock
--         ARGV[1] how the key's content begins, ARGV[2] the value, ARGV[3] its life in ms, empty: no end
--         ARGV[4] the tag clock before the load, ARGV[5…] the keys of its tags
-- Output: 1 stored; 0 not: the key was deleted, set or leased anew since, or a tag has changed
-- Errors: those of SET (OOM, READONLY); the key is given up then
local try = redis.pcall
if try("GETRANGE", KEYS[1], "0", #ARGV[1] - 1) ~= ARGV[1] then
    return 0
end
-- Functions are made anew at each call, so only where they are needed.
if ARGV[5] then
    --- @include "includes/tagsUnchanged"
    if not tagsUnchanged(KEYS[2], tonumber(ARGV[4]), ARGV[3], 5, #ARGV) then
        return 0
    end
end
local set
if ARGV[3] == "" then
    set = try("SET", KEYS[1], ARGV[2])
else
    set = try("SET", KEYS[1], ARGV[2], "PX", ARGV[3])
end
if set.err then
    try("UNLINK", KEYS[1])
    return set
end
return 1
