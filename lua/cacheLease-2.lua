-- Gives the value of a key, or makes the caller the one that loads it: then a lease stands in the key, which any delete
-- or newer value removes.
--
-- Input:  KEYS[1] the key, KEYS[2] the tag clock
--         ARGV[1] the lease, ARGV[2] its life in ms
--         ARGV[3] how a value begins that the caller could not use and may replace; empty: none; "*": whatever is there
--         ARGV[4] the life in ms of the value to come, empty: no end; ARGV[5…] the keys of tags that it will have
-- Output: the tag clock (a number): the lease is the caller's; otherwise what the key holds, a value or another's lease
-- Errors: those of GET and SET (WRONGTYPE, OOM, READONLY)
local try = redis.pcall
local set = try("SET", KEYS[1], ARGV[1], "PX", ARGV[2], "NX")
if not set or set.err then
    local held = try("GET", KEYS[1])
    if type(held) == "table" then
        return held
    end
    local mayReplace = ARGV[3] == "*" or held == ARGV[1] or (ARGV[3] ~= "" and string.sub(held or "", 1, #ARGV[3]) == ARGV[3])
    if held and not mayReplace then
        return held
    end
    set = try("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
    if set.err then
        return set
    end
end
local clock = try("GET", KEYS[2])
-- Mostly there is a clock, and no tag. Functions are made anew at each call, so only where they are needed.
if ARGV[5] or type(clock) ~= "string" or #clock > 16 or string.find(clock, "%D") then
    --- @include "includes/tagClock"
    --- @include "includes/keepTag"
    clock = tagClock(KEYS[2])
    for i = 5, #ARGV do
        keepTag(ARGV[i], clock, ARGV[4])
    end
end
return tonumber(clock)
