-- Removes a paused queue with all its jobs and job schedulers: a slice of them a call.
--
-- Input:
--   KEYS  meta, active
--   ARGV  1 the queue's base ("bull:email:")
--         2 most jobs to remove in this call, up to 1,000
--         3 "1": also if jobs are active
--
-- Output: how many jobs and schedulers were removed; 0: nothing was left, and the queue's own keys are gone
-- Errors: -13 not paused, -14 jobs are active

--- @include "includes/sweepJobs"

local META, ACTIVE = KEYS[1], KEYS[2]
local base, most = ARGV[1], tonumber(ARGV[2])

if call("HEXISTS", META, "paused") == 0 then
    return -13
end
if ARGV[3] ~= "1" and call("LLEN", ACTIVE) > 0 then
    return -14
end

local removed = 0

local function sweepList(name)
    local ids = removed < most and call("LPOP", base .. name, most - removed) or {}
    if name == "active" then
        for _, id in ipairs(ids) do
            call("DEL", base .. id .. ":lock")
        end
    end
    sweepJobs(base, ids)
    removed = removed + #ids
end

local function popSet(name)
    local pairs = removed < most and call("ZPOPMIN", base .. name, most - removed) or {}
    local members = {}
    for i = 1, #pairs, 2 do
        members[#members + 1] = pairs[i]
    end
    removed = removed + #members
    return members
end

sweepList("active")
sweepJobs(base, popSet("delayed"))
for _, id in ipairs(popSet("repeat")) do
    call("DEL", base .. "repeat:" .. id)
end
sweepJobs(base, popSet("completed"))
sweepList("wait")
sweepList("paused")
sweepJobs(base, popSet("prioritized"))
sweepJobs(base, popSet("failed"))
sweepJobs(base, popSet("waiting-children"))
if removed > 0 then
    return removed
end
for _, name in ipairs({ "events", "delay", "stalled-check", "stalled", "id", "pc", "marker", "meta", "limiter", "metrics:completed",
                        "metrics:completed:data", "metrics:failed", "metrics:failed:data" }) do
    call("UNLINK", base .. name)
end
return 0
