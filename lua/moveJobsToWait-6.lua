-- Makes jobs of one state ready, whatever their priority, as BullMQ's bulk calls do: a slice of them a call.
--
-- Input:
--   KEYS  failed, completed or delayed; wait, meta, active, events, marker
--   ARGV  1 the queue's base ("bull:email:")
--         2 most jobs to move, up to 1,000
--         3 highest score
--         4 the state's name
--         5 field with the result of the last run; empty: a delayed job, which has none
--
-- Output: how many were moved
-- Events: waiting (prev: the state), for each

--- @include "includes/addMarker"
--- @include "includes/emitEvent"
--- @include "includes/giveBackToParent"
--- @include "includes/queueGate"
--- @include "includes/tryCall"

local PLACE, WAIT, META, ACTIVE, EVENTS, MARKER = unpack(KEYS)
local base, prev, result = ARGV[1], ARGV[4], ARGV[5]

local ids = call("ZRANGEBYSCORE", PLACE, "-inf", ARGV[3], "LIMIT", "0", ARGV[2])
if #ids == 0 then
    return 0
end
local closed, maxEvents = queueGate(META, ACTIVE)
call("LPUSH", WAIT, unpack(ids)) -- first: a wait key of a wrong type stops it before a job has left its state
for _, id in ipairs(ids) do
    if result ~= "" then
        tryCall("HDEL", base .. id, "finishedOn", "processedOn", result)
        pcall(giveBackToParent, base .. id, prev)
    end
    emitEvent(EVENTS, "waiting", id, "prev", prev)
end
call("ZREM", PLACE, unpack(ids))
if not closed then
    addBaseMarker(MARKER)
end
trimEvents(EVENTS, maxEvents)
return #ids
