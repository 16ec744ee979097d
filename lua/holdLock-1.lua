-- Keeps a lock, or ends it and tells those who wait for it.
--
-- Input:  KEYS[1] the lock; its name is the channel's too
--         ARGV[1] the holder's token, ARGV[2] the lock's life from now in ms; 0 ends it
-- Output: 1 done; 0: another holds it, or nobody
--- @include "includes/tryCall"
if tryCall("GET", KEYS[1]) ~= ARGV[1] then
    return 0
end
if ARGV[2] ~= "0" then
    return call("PEXPIRE", KEYS[1], ARGV[2])
end
call("UNLINK", KEYS[1])
tryCall("PUBLISH", KEYS[1], "free") -- who may not publish is found out by the waiters' own clocks
return 1
