--- @include "includes/workKeys"
--- @include "includes/call"
--- @include "includes/firstDue"

-- Takes up to `wanted` jobs: those without a priority first. No function, but steps to stand where a script does this, which is on every
-- job's way: what few calls need is made where it is needed.
--
-- Uses:    nowMs, now: the server's time; meta: see readMeta; ready: the script made jobs ready, so that a marker may be due whatever
--          is taken
-- Appends to `reply`: now, ms that the rate limit asks to rest (0: none), due ms of the first delayed job (0: none), then for each
--          job its id and its hash as it was before it was started, or a text that says why it cannot be run; then it is in no state
--          any more. A marker is left when jobs are left that may be taken.
-- Sets:    taken: how many

-- Bytes of data that a call hands out, before the job that goes over them: a hundred jobs of another client's, each of many megabytes,
-- must not make a reply that no client takes.
local DATA_MAX = 8 * 1024 * 1024

-- A single one of more than the worker takes is handed out without them, to be failed.
local jobMax = tonumber(ARGV[8]) or math.huge

local promoted, due = 0, firstDue()
if due and due <= nowMs then
    --- @include "includes/promoteDelayed"
    promoted, due = promoteDelayed(nowMs)
end

local max, duration = tonumber(meta[3] or ARGV[5]), tonumber(ARGV[6]) or tonumber(meta[4])
local room, ttl = wanted, 0
if max and duration then
    --- @include "includes/limitRoom"
    room, ttl = limitRoom(wanted, max)
else
    max = nil
end
local concurrency = tonumber(meta[2])
local free = meta[1] and 0 or concurrency and concurrency - call("LLEN", activeKey) or math.huge
room = math.min(room, free)

local ids = room > 0 and call("RPOP", waitKey, room) or {}
if ids[1] then
    call("LPUSH", activeKey, unpack(ids))
end
if #ids < room then
    local popped = redis.pcall("ZPOPMIN", prioritizedKey, room - #ids)
    for i = 1, #popped, 2 do
        ids[#ids + 1] = popped[i]
        call("LPUSH", activeKey, popped[i])
    end
    if not popped[1] then
        call("DEL", pcKey)
    end
end

local at, data, counted = #reply, 0, 0
reply[at + 1], reply[at + 2], reply[at + 3] = nowMs, ttl, due or 0
for i, id in ipairs(ids) do
    if data > DATA_MAX then
        --- @include "includes/putBackTaken"
        putBackTaken(ids, i)
        ready = true
        break
    end
    local jobKey = base .. id
    local hash = redis.pcall("HGETALL", jobKey)
    local refused = hash.err or not hash[1] and "its hash is missing"
    if not refused and not string.find(id, "^%d+$") then -- most ids are numbers, which need no closer look
        --- @include "includes/isJobId"
        refused = not isJobId(id) and "its id is none of a job"
    end
    if refused then
        call("LREM", activeKey, "1", id)
        hash = refused
    else
        local started, deferred = 0, false
        for field = 1, #hash, 2 do
            local name = hash[field]
            if name == "ats" then
                started = tonumber(hash[field + 1]) or 0
            elseif name == "data" then
                local size = #hash[field + 1]
                if size > jobMax then
                    deferred, hash[field] = true, "defa"
                    hash[field + 1] = string.format("its data has %.0f bytes, and the worker takes %.0f at most", size, jobMax)
                    size = 0
                end
                data = data + size
            elseif name == "defa" then
                deferred = true -- it is only to be failed, and does not count
            end
        end
        if max and not deferred then
            counted = counted + 1
        end
        -- A count that is none begins anew.
        started = started > 0 and started < 1e15 and string.format("%.0f", started + 1) or "1"
        call("PSETEX", jobKey .. ":lock", lockMs, token)
        if ARGV[7] == "" then
            call("HSET", jobKey, "processedOn", now, "ats", started)
        else
            call("HSET", jobKey, "processedOn", now, "ats", started, "pb", ARGV[7])
        end
        redis.pcall("XADD", eventsKey, "*", "event", "active", "jobId", id, "prev", "waiting")
    end
    at = #reply
    reply[at + 1], reply[at + 2] = id, hash
end
if counted > 0 and redis.pcall("INCRBY", limiterKey, counted) == counted then
    call("PEXPIRE", limiterKey, math.floor(math.abs(duration)))
end
ready = ready or promoted > 0 or wanted == 0 or room > 0 and #ids == room
if free > 0 and ready and call("EXISTS", waitKey, prioritizedKey) > 0 then
    redis.pcall("ZADD", markerKey, "0", "0")
end
taken = #ids
