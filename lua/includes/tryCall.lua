--- @include "includes/call"

-- call(), but nil when the server refuses: for keys whose loss or wrong type must not stop a worker.
local function tryCall(...)
    local reply = redis.pcall(...)
    if type(reply) == "table" and reply.err then
        return nil, reply.err
    end
    return reply
end

local function tryEvent(eventsKey, event, jobId, ...)
    redis.pcall("XADD", eventsKey, "*", "event", event, "jobId", jobId, ...)
end
