-- Gives the values of many keys, and makes the caller the one that loads those that are missing, as cacheLease does.
--
-- Input:  KEYS[1] the tag clock
--         ARGV[1] the lease, of all keys; empty: values are given alone
--         ARGV[2] its life in ms, ARGV[3] the life in ms of the values to come, empty: no end
--         ARGV[4] 1: whatever the keys hold is replaced; 0
--         ARGV[5] how many keys there are; ARGV[6…] they, then the keys of tags that all values will have
-- Output: [the tag clock, …]: per key what it holds; 1 when it held nothing, and so the lease is there now; 0 when it can't be
--         read (WRONGTYPE) or leased (OOM, READONLY); then per tag what its key holds
--- @include "includes/tryCall"
--- @include "includes/tagClock"
--- @include "includes/keepTag"
local lease, leaseMs, count = ARGV[1], ARGV[2], tonumber(ARGV[5])
local clock = tagClock(KEYS[1])
local reply = {tonumber(clock)}
for i = 6 + count, #ARGV do
    keepTag(ARGV[i], clock, ARGV[3])
end
for i = 6, 5 + count do
    local held = ARGV[4] == "0" and tryCall("GET", ARGV[i])
    if held == false then
        held = (lease == "" or tryCall("SET", ARGV[i], lease, "PX", leaseMs)) and 1 or 0
    end
    reply[#reply + 1] = held or 0
end
for i = 6 + count, #ARGV do
    reply[#reply + 1] = tryCall("GET", ARGV[i]) or ""
end
return reply
