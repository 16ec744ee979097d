-- Gives a job another priority, and if it is ready another place.
--
-- Input:
--   KEYS  job, wait, prioritized, pc, meta, active, marker
--   ARGV  1 job id
--         2 priority
--         3 "1": before its equals, else behind them
--
-- Output: 0
-- Errors: -1 no such job

--- @include "includes/addToState"
--- @include "includes/queueGate"

local JOB, WAIT, PRIORITIZED, PC, META, ACTIVE, MARKER = unpack(KEYS)
local id, priority, lifo = ARGV[1], tonumber(ARGV[2]), ARGV[3] == "1"

if call("EXISTS", JOB) == 0 then
    return -1
end
call("LLEN", WAIT) -- a key of a wrong type ends the script here, before the job is taken out of the other
if call("ZREM", PRIORITIZED, id) == 1 or call("LREM", WAIT, "-1", id) == 1 then
    if priority > 0 and lifo then
        call("ZADD", PRIORITIZED, prioritizedScore(priority, 0), id)
    else
        addReady(WAIT, PRIORITIZED, PC, lifo and "RPUSH" or "LPUSH", id, priority)
        if not queueGate(META, ACTIVE) then
            addBaseMarker(MARKER)
        end
    end
end
call("HSET", JOB, "priority", ARGV[2])
return 0
