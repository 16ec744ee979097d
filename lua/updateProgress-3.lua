-- Stores a job's progress.
--
-- Input:  KEYS: job, events, meta
--         ARGV[1] job id, ARGV[2] progress, JSON
-- Output: 0
-- Errors: -1 no such job
-- Events: progress
--- @include "includes/emitEvent"
--- @include "includes/getMaxEvents"
if call("EXISTS", KEYS[1]) == 0 then
    return -1
end
call("HSET", KEYS[1], "progress", ARGV[2])
emitEvent(KEYS[2], "progress", ARGV[1], "data", ARGV[2])
trimEvents(KEYS[2], getMaxEvents(KEYS[3]))
return 0
