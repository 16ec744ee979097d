-- Makes due jobs ready, a slice of them, and looks for job schedulers whose next job is to be made: their run is due, whether or not
-- a worker has taken its job. Not in a paused queue: nobody would take what is made.
--
-- Input:
--   KEYS and ARGV 1 as in includes/schedulerKeys (2 and 3 empty)
--   ARGV  4  ms that a run may be overdue: older ones are findLostSchedulers' business
--         5  how many to pass over
--         6  how many to look at
--         7  the next run is the first one after this, ms; empty: after now
--         8... fields of a rule
--
-- Output: {number looked at, now, the next run (0: there are no schedules; -1: none is known), then for each: id, its run, options of its job, or its rule (values of
--         the fields) when it is guarded}. Looked at is -1
--         when more jobs are due than were made ready: call again
-- Events: waiting (prev delayed)

--- @include "includes/schedulerKeys"
--- @include "includes/addMarker"
--- @include "includes/emitEvent"
--- @include "includes/firstDue"
--- @include "includes/guardedRule"
--- @include "includes/promoteDelayed"
--- @include "includes/queueGate"
--- @include "includes/serverTime"

-- Bytes of a job's options: longer ones are left to the worker that takes the job.
local OPTS_MAX = 128 * 1024

local now, nowText = serverTime()
local since = ARGV[7] == "" and nowText or ARGV[7]
if call("HEXISTS", metaKey, "paused") == 1 then
    return { 0, now, -1 }
end

local function wake()
    local closed, maxEvents = queueGate(metaKey, activeKey)
    trimEvents(eventsKey, maxEvents)
    if not closed then
        addBaseMarker(markerKey)
    end
end

local due = firstDue()
if due and due <= now then
    local promoted = promoteDelayed(now)
    wake()
    if promoted == PROMOTE_MAX then
        return { -1, now, -1 }
    end
end

local runs = call("ZRANGEBYSCORE", repeatKey, now - tonumber(ARGV[4]), now, "WITHSCORES", "LIMIT", ARGV[5], ARGV[6])
local after = call("ZRANGEBYSCORE", repeatKey, "(" .. since, "+inf", "WITHSCORES", "LIMIT", "0", "1")
local next = after[2] and math.min(tonumber(after[2]), 2 ^ 52) or -call("EXISTS", repeatKey)
local reply = { #runs / 2, now, next }
local function tell(id, run, what)
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3] = id, run, what
end

for i = 1, #runs, 2 do
    local id, run = runs[i], runs[i + 1]
    local guarded, over = isGuarded(repeatKey .. ":" .. id)
    local jobKey = base .. "repeat:" .. id .. ":" .. run
    local length = not guarded and tryCall("HSTRLEN", jobKey, "opts") or 0
    if guarded and not over then
        tell(id, run, readRule(repeatKey .. ":" .. id, 8))
    elseif length > 0 and length <= OPTS_MAX then
        tell(id, run, call("HGET", jobKey, "opts"))
    end
end
return reply
