-- Gives the value of a key, or makes the caller the one that loads it: then a lease stands in the key, which any delete
-- or newer value removes.
--
-- Input:  KEYS[1] the key
--         ARGV[1] the lease, ARGV[2] its life in ms
--         ARGV[3] how a value begins that the caller could not read and may replace; empty: none
-- Output: nil: the lease is the caller's; otherwise what the key holds, a value or another's lease
-- Errors: those of GET and SET (WRONGTYPE, OOM, READONLY)
local held = redis.pcall("GET", KEYS[1])
if type(held) == "table" then
    return held
end
if held and (ARGV[3] == "" or string.sub(held, 1, #ARGV[3]) ~= ARGV[3]) then
    return held
end
local set = redis.pcall("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
if set.err then
    return set
end
return false
