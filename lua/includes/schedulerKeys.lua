-- The keys and first arguments that the scripts of job schedulers share, in this order.
--
-- KEYS: repeat, delayed, wait, prioritized, active, meta, marker, events, id, pc
-- ARGV: 1 base of the queue's keys ("bull:email:")
--       2 id of the scheduler
--       3 the same as it stands inside a JSON string
local repeatKey, delayedKey, waitKey, prioritizedKey, activeKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local metaKey, markerKey, eventsKey, idKey, pcKey = KEYS[6], KEYS[7], KEYS[8], KEYS[9], KEYS[10]
local base = ARGV[1]
local schedulerId, escapedId, schedulerKey

-- The schedule that is dealt with.
local function useScheduler(id, escaped)
    schedulerId, escapedId, schedulerKey = id, escaped, repeatKey .. ":" .. id
end
useScheduler(ARGV[2], ARGV[3])

-- The id of the scheduler's job at a time (text).
local function jobIdAt(ms)
    return "repeat:" .. schedulerId .. ":" .. ms
end
