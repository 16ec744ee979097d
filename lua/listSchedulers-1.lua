-- Reads job schedulers by their next run.
--
-- Input:
--   KEYS  repeat
--   ARGV  1, 2 first and last, counted from 0; -1: the last
--
-- Output: {number looked at, then id, next run, its hash (flat) of each}. Ids without a rule are left out.

--- @include "includes/call"

local ids = call("ZRANGE", KEYS[1], ARGV[1], ARGV[2], "WITHSCORES")
local reply = { #ids / 2 }
for i = 1, #ids, 2 do
    local rule = call("HGETALL", KEYS[1] .. ":" .. ids[i])
    if #rule > 0 then
        reply[#reply + 1] = ids[i]
        reply[#reply + 1] = ids[i + 1]
        reply[#reply + 1] = rule
    end
end
return reply
