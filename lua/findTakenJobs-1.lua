-- Finds the jobs that a takeJobs or finishJobs call gave away when its reply was lost: those whose lock holds the token
-- of that call. They are among the newest of `active`.
--
-- Input:  KEYS[1] active
--         ARGV[1] base of the queue's keys, ARGV[2] token
-- Output: as takeJobs; the hashes are as they are now
--- @include "includes/tryCall"
--- @include "includes/serverTime"
local LOOK_MAX = 1000
local ids = call("LRANGE", KEYS[1], "0", LOOK_MAX - 1)
local reply, locks = {{}, (serverTime()), 0, 0}, {}
for i = 1, #ids do
    locks[i] = ARGV[1] .. ids[i] .. ":lock"
end
local held = locks[1] and call("MGET", unpack(locks)) or {}
for i = #ids, 1, -1 do
    local hash = held[i] == ARGV[2] and tryCall("HGETALL", ARGV[1] .. ids[i])
    if hash and hash[1] then
        reply[#reply + 1] = ids[i]
        reply[#reply + 1] = hash
    end
end
return reply
