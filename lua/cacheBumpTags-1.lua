-- Deletes or expires all values that have one of these tags: the tag clock moves on, and the tags' keys say when. No value is
-- touched; who reads one compares its birth.
--
-- Input:  KEYS[1] the tag clock
--         ARGV[1] "delete" or "expire", ARGV[2] the least life in ms of a tag's key, ARGV[3…] the keys of the tags
-- Output: the tag clock; 0: the server is full, so clock and tags were removed instead, which means deleted
-- Errors: READONLY
--- @include "includes/readTag"
--- @include "includes/tagClock"
local function bump()
    tagClock(KEYS[1])
    return call("INCR", KEYS[1])
end
if not pcall(bump) then
    call("UNLINK", KEYS[1])
    for i = 3, #ARGV do
        call("UNLINK", ARGV[i])
    end
    return 0
end
local clock = call("GET", KEYS[1])
for i = 3, #ARGV do
    local deleted, expired = readTag(ARGV[i])
    if deleted and ARGV[1] == "expire" then
        call("SET", ARGV[i], deleted .. " " .. clock, "KEEPTTL")
    elseif deleted then
        call("SET", ARGV[i], clock .. " " .. expired, "KEEPTTL")
    else
        call("SET", ARGV[i], clock .. " 0", "PX", ARGV[2])
    end
end
return tonumber(clock)
