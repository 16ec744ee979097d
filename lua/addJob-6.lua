-- Adds one standard job, with the effects of addJobs. That is ready for jobs of all kinds, which costs it more than all that it does
-- with one like this; so here is neither a function nor a look at what cannot be.
--
-- Input:  KEYS  id, meta, wait, active, events, marker
--         ARGV  the queue's base, name, data, opts (the stored JSON), timestamp, push: "LPUSH" to the tail of wait, "RPUSH" to its
--               head
-- Output: the job's number, which is its id
-- Events: added, waiting
local call, try = redis.call, redis.pcall
local base, name, data, opts, timestamp, push = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local events, marker = KEYS[5], KEYS[6]
local meta = call("HMGET", KEYS[2], "paused", "concurrency", "opts.maxLenEvents")
local maxEvents = meta[3] and #meta[3] < 16 and string.match(meta[3], "^%d+$")
if not maxEvents then
    maxEvents = "10000"
    call("HSET", KEYS[2], "opts.maxLenEvents", maxEvents)
end
call("LLEN", KEYS[3]) -- a key of a wrong type stops the script here, before anything is stored
local number = call("INCR", KEYS[1])
if number < 1 or number > 2 ^ 53 - 1e6 then
    call("DECR", KEYS[1])
    return redis.error_reply("ERR the queue's counter of jobs, " .. KEYS[1] .. ", holds no number that can be an id")
end
local id = string.format("%.0f", number)
local stored = try("HSET", base .. id, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", "0",
                   "priority", "0")
if type(stored) == "table" then -- what else stands in its place makes way
    call("DEL", base .. id)
    call("HSET", base .. id, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", "0", "priority", "0")
end
call(push, KEYS[3], id)
try("XADD", events, "MAXLEN", "~", maxEvents, "*", "event", "added", "jobId", id, "name", name)
try("XADD", events, "*", "event", "waiting", "jobId", id)
local concurrency = tonumber(meta[2])
if not meta[1] and not (concurrency and call("LLEN", KEYS[4]) >= concurrency) then
    if type(try("ZADD", marker, "0", "0")) == "table" then
        call("DEL", marker)
        call("ZADD", marker, "0", "0")
    end
end
return number
