-- Finds active jobs that lost their lock and gives them back, to the head of `wait`. A job is only taken for stalled
-- when the check before has seen it active too. Works from the oldest active job on, in slices: the caller goes on with
-- the place that it got, until it gets -1.
--
-- Input:  KEYS: stalled, wait, active, stalled-check, meta, marker, events
--         ARGV[1] base of the queue's keys, ARGV[2] stalls that a job survives, ARGV[3] interval, ms: only one check
--         each, whoever makes it, ARGV[4] place to go on with; -1 begins
-- Output: {place to go on with or -1, id of each job given back, …}
-- Events: waiting (prev active), stalled
--- @include "includes/addMarker"
--- @include "includes/queueGate"
--- @include "includes/serverTime"
--- @include "includes/tryCall"
local SLICE = 500
local stalledKey, waitKey, activeKey, eventsKey = KEYS[1], KEYS[2], KEYS[3], KEYS[7]
local base, begins, place = ARGV[1], ARGV[4] == "-1", math.max(tonumber(ARGV[4]), 0)

-- The stalled set with the ids of this slice that stay active, and without those that were given back. When the slice is
-- all there is, ids that are not active any more go too.
local function remember(kept, reply, isAll)
    if isAll then
        call("DEL", stalledKey)
    elseif reply[2] then
        call("SREM", stalledKey, unpack(reply, 2))
    end
    if kept[1] then
        call("SADD", stalledKey, unpack(kept))
    end
end

-- A job that kills its worker again and again is failed by the next one that takes it, before it runs. That of a job
-- scheduler too: its next run is stored by then.
local function giveBack(id)
    local jobKey = base .. id
    if call("LREM", activeKey, "-1", id) == 0 or call("EXISTS", jobKey) == 0 then
        return false
    end
    if (tryCall("HINCRBY", jobKey, "stc", "1") or 1) > tonumber(ARGV[2]) then
        tryCall("HSET", jobKey, "defa", "job stalled more than allowable limit")
    end
    call("RPUSH", waitKey, id)
    tryEvent(eventsKey, "waiting", id, "prev", "active")
    tryEvent(eventsKey, "stalled", id)
    return true
end

-- A lock that never ends, renewed by nobody since the check before, is none of a worker's: it ends now.
local function boundLock(lockKey)
    if call("PTTL", lockKey) == -1 then
        call("PEXPIRE", lockKey, ARGV[3])
    end
end

-- A mark that never ends would be the end of all checks.
local function isMyTurn()
    local _, now = serverTime()
    if call("SET", KEYS[4], now, "PX", ARGV[3], "NX") then
        return true
    end
    return call("PTTL", KEYS[4]) == -1 and call("SET", KEYS[4], now, "PX", ARGV[3])
end

if begins and not isMyTurn() then
    return {-1}
end
local ids = call("LRANGE", activeKey, -place - SLICE, -place - 1)
if not ids[1] then
    if begins then
        call("DEL", stalledKey)
    end
    return {-1}
end
local lockKeys = {}
for i = 1, #ids do
    lockKeys[i] = base .. ids[i] .. ":lock"
end
local locks, suspected = call("MGET", unpack(lockKeys)), tryCall("SMISMEMBER", stalledKey, unpack(ids))
if not suspected then -- it is no set: the check begins anew
    call("DEL", stalledKey)
    suspected = call("SMISMEMBER", stalledKey, unpack(ids))
end
local reply, kept = {-1}, {}
call("LLEN", waitKey)
for i = #ids, 1, -1 do
    if locks[i] or suspected[i] == 0 then
        kept[#kept + 1] = ids[i]
        if suspected[i] == 1 then
            boundLock(lockKeys[i])
        end
    elseif giveBack(ids[i]) then
        reply[#reply + 1] = ids[i]
    end
end
remember(kept, reply, begins and #ids < SLICE)
if reply[2] then
    local closed, maxEvents = queueGate(KEYS[5], activeKey)
    tryCall("XTRIM", eventsKey, "MAXLEN", "~", maxEvents)
    if not closed then
        addBaseMarker(KEYS[6])
    end
end
if #ids == SLICE then
    reply[1] = place + #kept
end
return reply
