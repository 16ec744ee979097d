-- Stores a job scheduler's rule in place of an earlier one and makes its pending job. The pending job of the earlier rule goes, but
-- its time stays if `every` is the same, or if it is due by the same pattern and no worker has taken it yet. Of a queue's only schedule
-- guardians are told by the channel `{base}sc:schedules`.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4     every, ms; empty: by pattern
--         5     next time of the pattern, ms; "now": the first job at once
--         6     offset within every; empty: none given
--         7     start date, ms; empty: none
--         8     name
--         9     data; "{}" is not stored with the rule
--         10    the job's options, as addSchedulerJob wants them
--         11    priority
--         12    push: LPUSH or RPUSH
--         13    template of options as stored with the rule; empty: none
--         14    deduplication id; empty: none
--         15... fields and values to store with the rule: tz, limit, pattern, startDate, endDate, every
--
-- Output: {id of the pending job, its time}
-- Errors: -10 the next job exists already, -11 so do all near ones (of every), -12 the id is a repeatable of BullMQ 5
-- Events: added, then waiting or delayed

--- @include "includes/addSchedulerJob"
--- @include "includes/everyNext"
--- @include "includes/pendingJob"
--- @include "includes/serverTime"
--- @include "includes/tellGuardians"

local SLOTS = 32
local every, offset = tonumber(ARGV[4]), tonumber(ARGV[6])
local now, nowText = serverTime()
local score = call("ZSCORE", repeatKey, schedulerId)
local prev = tonumber(score)
local old = call("HMGET", schedulerKey, "ic", "every", "offset", "pattern", "tz", "name", "sc:rev")
if old[6] and not old[1] then
    return -12
end

local rule = {}
for i = 15, #ARGV, 2 do
    rule[ARGV[i]] = ARGV[i + 1]
end
local pendingId = score and jobIdAt(score)
local state = pendingId and pendingState(pendingId)

-- The time of the next job, and the offset to store.
local function nextRun()
    if every then
        local isSame = prev and tonumber(old[2]) == every
        if isSame and (state or old[7] and prev > now) then
            return prev, offset or tonumber(old[3] or 0)
        end
        local next, newOffset = everyNext(isSame and prev or nil, every, now, offset or isSame and tonumber(old[3]) or nil,
                                          tonumber(ARGV[7]))
        return next, offset or newOffset
    end
    if ARGV[5] == "now" then
        return now, 0
    end
    local isSame = old[4] == (rule.pattern or false) and old[5] == (rule.tz or false)
    if isSame and state and prev <= now then
        return prev, 0
    end
    return tonumber(ARGV[5]), 0
end

local next, newOffset = nextRun()
local function isTaken()
    local id = jobIdAt(string.format("%.0f", next))
    return not (state and id == pendingId) and call("EXISTS", base .. id) == 1
end

local scanned = 0
while isTaken() do
    if not every then
        return -10
    end
    scanned = scanned + 1
    if scanned > SLOTS then
        return -11
    end
    next = next + every
end

if state then
    removePending(pendingId, state)
end
local made = old[1] or "1"
if old[7] then
    made = string.format("%.0f", (tonumber(made) or 0) + 1) -- a guarded rule had no pending job to count
end
local fields = { "name", ARGV[8], "ic", made, "offset", string.format("%.0f", newOffset) }
for i = 15, #ARGV do
    fields[#fields + 1] = ARGV[i]
end
if ARGV[13] ~= "" then
    fields[#fields + 1] = "opts"
    fields[#fields + 1] = ARGV[13]
end
if ARGV[9] ~= "{}" then
    fields[#fields + 1] = "data"
    fields[#fields + 1] = ARGV[9]
end
call("DEL", schedulerKey)
call("HSET", schedulerKey, unpack(fields))
local nextText = string.format("%.0f", next)
call("ZADD", repeatKey, nextText, schedulerId)
tellGuardians()
local id = addSchedulerJob(nextText, now, nowText, {
    name = ARGV[8], data = ARGV[9], head = ARGV[10], priority = ARGV[11], push = ARGV[12], dedupId = ARGV[14],
    hasPrev = not every,
})
return { id, nextText }
