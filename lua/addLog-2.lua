-- Adds a row to a job's log.
--
-- Input:  KEYS: job, its logs
--         ARGV[1] row, ARGV[2] newest rows to keep; empty: all
-- Output: number of rows kept
-- Errors: -1 no such job
--- @include "includes/call"
if call("EXISTS", KEYS[1]) == 0 then
    return -1
end
local rows = call("RPUSH", KEYS[2], ARGV[1])
if ARGV[2] == "" then
    return rows
end
call("LTRIM", KEYS[2], "-" .. ARGV[2], "-1")
return math.min(rows, tonumber(ARGV[2]))
