-- Gives a job another priority, and if it is ready another place.
--
-- Input:
--   KEYS  job, wait, prioritized, pc, meta, active, marker
--   ARGV  1 job id
--         2 priority
--         3 "1": before its equals, else behind them
--         4 its place in wait, counted from the end; "": the caller did not look, "0": it isn't there
--
-- Output: 0; 1 it may be deep in a long wait: look for it and call again
-- Errors: -1 no such job

--- @include "includes/addToState"
--- @include "includes/queueGate"
--- @include "includes/takeOutOfList"

local JOB, WAIT, PRIORITIZED, PC, META, ACTIVE, MARKER = unpack(KEYS)
local id, priority, lifo = ARGV[1], tonumber(ARGV[2]), ARGV[3] == "1"

if call("EXISTS", JOB) == 0 then
    return -1
end
call("LLEN", WAIT) -- a key of a wrong type ends the script here, before the job is taken out of the other
local isPrioritized = call("ZREM", PRIORITIZED, id) == 1
if ARGV[4] == "" and not isPrioritized and isBuried(WAIT, id) then
    return 1
end
if isPrioritized or takeOutOfList(WAIT, id, tonumber(ARGV[4])) then
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
