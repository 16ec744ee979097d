--- @include "includes/workKeys"
--- @include "includes/promoteDelayed"
--- @include "includes/tryCall"

-- How many jobs the rate limit allows, at most `room`; and the ms to wait when that is none.
local function limitRoom(room, max)
    local used = tonumber((tryCall("GET", limiterKey))) or 0
    if used < max then
        return math.min(room, max - used), 0
    end
    local ttl = tryCall("PTTL", limiterKey) or 0
    if ttl > 0 then
        return 0, ttl
    end
    if ttl <= 0 then
        call("DEL", limiterKey)
    end
    return max > 0 and math.min(room, max) or room, 0
end

-- Moves up to `room` ids to `active`: those without a priority first. Returns them in the order of service.
local function activate(room)
    local ids = call("RPOP", waitKey, room) or {}
    if ids[1] then
        call("LPUSH", activeKey, unpack(ids))
    end
    if #ids < room then
        local popped = tryCall("ZPOPMIN", prioritizedKey, room - #ids) or {}
        for i = 1, #popped, 2 do
            ids[#ids + 1] = popped[i]
            call("LPUSH", activeKey, popped[i])
        end
        if not popped[1] then
            call("DEL", pcKey)
        end
    end
    return ids
end

-- The text of a field of a hash that HGETALL gave.
local function fieldOf(hash, field)
    for i = 1, #hash, 2 do
        if hash[i] == field then
            return hash[i + 1]
        end
    end
end

-- Most ids are numbers, which need no closer look.
local function mayBeJob(id)
    if string.find(id, "^%d+$") then
        return true
    end
    --- @include "includes/isJobId"
    return isJobId(id)
end

-- Gives one job to the worker: lock, start, event. Returns its hash as it was before, or a text that says why it
-- cannot be run; then it is in no state any more.
local function start(id, now)
    local jobKey = base .. id
    local hash, refused = tryCall("HGETALL", jobKey)
    if not hash or not hash[1] or not mayBeJob(id) then
        call("LREM", activeKey, "1", id)
        return refused or hash[1] and "its id is none of a job" or "its hash is missing"
    end
    local ats = fieldOf(hash, "ats")
    local started = ats and tonumber(ats) or 0
    -- As a text. A count that is none begins anew.
    started = started > 0 and started < 1e15 and string.format("%.0f", started + 1) or "1"
    call("PSETEX", jobKey .. ":lock", lockMs, token)
    if ARGV[7] == "" then
        call("HSET", jobKey, "processedOn", now, "ats", started)
    else
        call("HSET", jobKey, "processedOn", now, "ats", started, "pb", ARGV[7])
    end
    redis.pcall("XADD", eventsKey, "*", "event", "active", "jobId", id, "prev", "waiting")
    return hash
end

-- Bytes of data that a call hands out, before the job that goes over them: a hundred jobs of another client's, each of many megabytes,
-- must not make a reply that no client takes.
local DATA_MAX = 8 * 1024 * 1024

-- Back to where they came from, before all others: the ids from place `first` on, which were not started.
local function putBack(ids, first)
    --- @include "includes/addToState"
    for i = #ids, first, -1 do
        local priority = priorityOf(base .. ids[i])
        call("LREM", activeKey, "1", ids[i])
        if priority == 0 or not tryCall("ZADD", prioritizedKey, prioritizedScore(priority, i - first), ids[i]) then
            call("RPUSH", waitKey, ids[i])
        end
    end
end

-- What a worker must know of `meta`, read once: paused, concurrency, max and duration of the rate limit, cap of the events.
local function readMeta()
    return call("HMGET", metaKey, "paused", "concurrency", "max", "duration", "opts.maxLenEvents")
end

-- Takes up to `wanted` jobs and appends to `reply`: now, ms that the rate limit asks to rest (0: none), due ms of the
-- first delayed job (0: none), then id and hash (or a text, see start) of each job. `ready`: the caller made jobs
-- ready, so a marker may be due whatever is taken. A marker is left when jobs are left that may be taken. `meta`: what readMeta()
-- says.
local function takeJobs(reply, nowMs, now, meta, ready)
    local promoted, due = promoteDelayed(nowMs)
    local max, duration = tonumber(meta[3] or ARGV[5]), tonumber(ARGV[6]) or tonumber(meta[4])
    local room, ttl = wanted, 0
    if max and duration then
        room, ttl = limitRoom(wanted, max)
    else
        max = nil
    end
    local concurrency = tonumber(meta[2])
    local free = meta[1] and 0 or concurrency and concurrency - call("LLEN", activeKey) or math.huge
    room = math.min(room, free)
    reply[#reply + 1], reply[#reply + 2], reply[#reply + 3] = nowMs, ttl, due or 0
    local counted, data, ids = 0, 0, room > 0 and activate(room) or {}
    for i, id in ipairs(ids) do
        if data > DATA_MAX then
            putBack(ids, i)
            ready = true
            break
        end
        local hash = start(id, now)
        data = data + #(type(hash) == "table" and fieldOf(hash, "data") or "")
        if max and type(hash) == "table" and not fieldOf(hash, "defa") then
            counted = counted + 1 -- one that is only to be failed counts not
        end
        reply[#reply + 1] = id
        reply[#reply + 1] = hash
    end
    if counted > 0 and tryCall("INCRBY", limiterKey, counted) == counted then
        call("PEXPIRE", limiterKey, math.floor(math.abs(duration)))
    end
    ready = ready or promoted > 0 or wanted == 0 or room > 0 and #ids == room
    if free > 0 and ready and call("EXISTS", waitKey, prioritizedKey) > 0 then
        tryCall("ZADD", markerKey, "0", "0")
    end
    return #ids
end
