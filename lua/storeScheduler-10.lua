-- Stores the rule of a guarded schedule: it has no pending job, its runs are made by guardians when they are due (makeSchedulerRuns). A
-- pending job of a rule without guard goes, unless it is due already. What the schedule has counted and its last runs stay. Of a queue's only schedule
-- guardians are told by the channel `{base}sc:schedules`.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--   ARGV  4  the schedule's score as the caller knows it; empty: there is no such schedule
--         5  its next score, ms
--         6... fields and values of the rule
--
-- Output: 1
-- Errors: -12 the id is a repeatable of BullMQ 5, -17 it was changed meanwhile
-- Events: removed

--- @include "includes/emitEvent"
--- @include "includes/pendingJob"
--- @include "includes/tellGuardians"

local score = call("ZSCORE", repeatKey, schedulerId)
local old = call("HMGET", schedulerKey, "name", "ic", "sc:rev", "sc:missed", "sc:skipped", "sc:last", "sc:runs")
if (score or "") ~= ARGV[4] then
    return -17
elseif old[1] and not old[2] then
    return -12
end
local rule = {}
for i = 6, #ARGV, 2 do
    rule[ARGV[i]] = ARGV[i + 1]
end
local made = tonumber(old[2]) or 0
local pendingId = score and jobIdAt(score)

-- The number of the job after the one that the score names, of a rule without guard. nil when that job is gone.
local function nextCount()
    local isRead, opts = pcall(cjson.decode, pendingId and tryCall("HGET", base .. pendingId, "opts") or "{}")
    local count = isRead and type(opts) == "table" and type(opts["repeat"]) == "table" and tonumber(opts["repeat"].count)
    return count and count + 1
end
local count = not old[3] and nextCount() or made + 1
if pendingId and not old[3] and pendingState(pendingId) == "delayed" then
    removePending(pendingId, "delayed")
    emitEvent(eventsKey, "removed", pendingId, "prev", "delayed")
    made, count = math.max(made - 1, 0), count - 1 -- paused, it will have that job again
end

local time = call("TIME")
local fields = { "ic", string.format("%.0f", made), "sc:rev", time[1] .. "." .. time[2] }
local function keep(name, value)
    if value then
        fields[#fields + 1], fields[#fields + 2] = name, value
    end
end
keep("sc:missed", old[4])
keep("sc:skipped", old[5])
keep("sc:last", old[6])
keep("sc:runs", old[7])
for i = 6, #ARGV do
    fields[#fields + 1] = ARGV[i]
end
if rule["sc:plain"] then
    keep("sc:plain", string.format("%.0f", math.max(count, 1)))
end
call("DEL", schedulerKey)
call("HSET", schedulerKey, unpack(fields))
call("ZADD", repeatKey, ARGV[5], schedulerId)
tellGuardians()
return 1
