-- Makes the caller the one that loads a value anew while it is still given.
--
-- Input:  KEYS[1] the key of the right to do so, KEYS[2] the tag clock
--         ARGV[1] the lease, ARGV[2] its life in ms, ARGV[3] the key of the value, ARGV[4] how many bytes of it to give
-- Output: [the tag clock, how the value begins]; nil: another has the right, or there is no value
-- Errors: those of SET (OOM, READONLY)
--- @include "includes/tryCall"
--- @include "includes/tagClock"
local head = tryCall("GETRANGE", ARGV[3], "0", ARGV[4] - 1)
if not head or head == "" then
    return false
end
local holder = call("GET", KEYS[1])
if holder and holder ~= ARGV[1] then
    return false
end
call("SET", KEYS[1], ARGV[1], "PX", ARGV[2])
return {tonumber(tagClock(KEYS[2])), head}
