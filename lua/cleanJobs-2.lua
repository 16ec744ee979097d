-- Removes old jobs of one state, with all that belongs to them: a slice of them a call. The job that a job scheduler waits
-- for stays.
--
-- Input:
--   KEYS  the state's list or set, repeat
--   ARGV  1 the queue's base ("bull:email:")
--         2 "list": from its right end; "set": from its lowest score; "finished": likewise, and the score is the date
--         3 how many jobs to pass over: those that earlier calls left
--         4 most jobs to look at, up to 1,000
--         5 most jobs to remove
--         6 jobs with a later date (ms) stay
--         7 "1": jobs that a worker has locked stay
--         8 … fields with the date of a job: the first that is set counts
--
-- Output: how many jobs were looked at, how many of them removed

--- @include "includes/isPendingSchedulerJob"
--- @include "includes/sweepJobs"

local PLACE, REPEAT = KEYS[1], KEYS[2]
local base, kind, skip, most = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[5])
local look, latest, locked = tonumber(ARGV[4]), tonumber(ARGV[6]), ARGV[7] == "1"

local function isTooYoung(jobKey)
    local dates = ARGV[8] and tryCall("HMGET", jobKey, unpack(ARGV, 8)) or {}
    for i = 1, #ARGV - 7 do
        if dates[i] then
            return (tonumber(dates[i]) or 0) > latest
        end
    end
    return false
end

local function mayGo(id)
    local jobKey = base .. id
    if locked and call("EXISTS", jobKey .. ":lock") == 1 then
        return false
    end
    if kind == "finished" then
        return true
    end
    local known, pending = pcall(isPendingSchedulerJob, jobKey, id, REPEAT)
    return not (known and pending) and not isTooYoung(jobKey)
end

-- The next ids, oldest first.
local function readSlice()
    if kind == "set" then
        return call("ZRANGE", PLACE, skip, skip + look - 1)
    elseif kind == "finished" then
        return call("ZRANGEBYSCORE", PLACE, "-inf", ARGV[6], "LIMIT", skip, look)
    end
    local newestFirst, ids = call("LRANGE", PLACE, -(skip + look), -(skip + 1)), {}
    for i = #newestFirst, 1, -1 do
        ids[#ids + 1] = newestFirst[i]
    end
    return ids
end

local function takeOutPlaces(places, all)
    if skip == 0 and all then
        call("LTRIM", PLACE, "0", -(#places + 1))
        return
    end
    for _, place in ipairs(places) do
        call("LSET", PLACE, -(skip + place), "")
    end
    -- The marks are searched from the nearer end: a long list is not walked.
    local fromLeft = 2 * skip > call("LLEN", PLACE)
    call("LREM", PLACE, fromLeft and #places or -#places, "")
end

local ids, gone, places = readSlice(), {}, {}
local looked = 0
for i, id in ipairs(ids) do
    if #gone == most then
        break
    end
    looked = i
    if mayGo(id) then
        gone[#gone + 1], places[#places + 1] = id, i
    end
end
if #gone > 0 then
    if kind == "list" then
        takeOutPlaces(places, #gone == looked)
    else
        call("ZREM", PLACE, unpack(gone))
    end
    sweepJobs(base, gone)
end
return { looked, #gone }
