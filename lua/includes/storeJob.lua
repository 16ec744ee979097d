--- @include "includes/emitEvent"

-- Writes a new job's hash and emits `added`. All arguments are texts; more fields ("rjk", schedulerId, …) may follow.
-- `opts` is the stored JSON, made by the client: numbers and empty arrays would not survive a round through cjson.
local function storeJob(eventsKey, jobKey, jobId, name, data, opts, timestamp, delay, priority, ...)
    call("HSET", jobKey, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", delay,
         "priority", priority, ...)
    emitEvent(eventsKey, "added", jobId, "name", name)
end
