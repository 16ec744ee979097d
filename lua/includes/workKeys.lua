-- The keys and first arguments that the scripts of a worker share, in this order.
--
-- KEYS: wait, active, prioritized, delayed, events, stalled, limiter, meta, pc, marker, completed, failed
-- ARGV: 1 base of the queue's keys ("bull:email:")
--       2 jobs wanted; 0: take none
--       3 lock token for the jobs that are taken
--       4 lock, ms
--       5, 6 the worker's rate limit, jobs and ms; empty: none
--       7 the worker's name; empty: none
--       8 the most bytes of data that it takes with a job
local waitKey, activeKey, prioritizedKey, delayedKey = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local eventsKey, stalledKey, limiterKey, metaKey = KEYS[5], KEYS[6], KEYS[7], KEYS[8]
local pcKey, markerKey, completedKey, failedKey = KEYS[9], KEYS[10], KEYS[11], KEYS[12]
local base, wanted, token, lockMs = ARGV[1], tonumber(ARGV[2]), ARGV[3], ARGV[4]
