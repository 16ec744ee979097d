-- Deletes keys and counts those that held something. A lease goes too, but is no value.
--
-- Input:  KEYS[1] a key, KEYS[2] the tag clock
--         ARGV[1] how a lease begins
--         ARGV[2] 1: there may be keys of tags, whose values are to be dead then; 0: there is none
--         ARGV[3…] more keys
-- Output: how many of the keys held a value
--- @include "includes/tryCall"
local leaseMark = ARGV[1]
local function del(key)
    local head = tryCall("GETRANGE", key, "0", #leaseMark - 1)
    local gone = call("UNLINK", key)
    return head == leaseMark and 0 or gone
end
if ARGV[2] == "1" and call("EXISTS", KEYS[2]) == 1 and not tryCall("INCR", KEYS[2]) then
    call("UNLINK", KEYS[2]) -- the server is full, or that was no clock: a lost one moves on as well
end
local removed = del(KEYS[1])
for i = 3, #ARGV do
    removed = removed + del(ARGV[i])
end
return removed
