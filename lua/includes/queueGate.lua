--- @include "includes/getMaxEvents"

-- Is the queue closed, that is paused or at its global concurrency? Then jobs are stored, but no marker wakes a worker.
-- One read of meta gives both: closed (boolean), cap of the event stream (text).
local function queueGate(metaKey, activeKey)
    local meta = call("HMGET", metaKey, "paused", "concurrency", "opts.maxLenEvents")
    local closed = meta[1] and true or false
    local concurrency = not closed and tonumber(meta[2])
    if concurrency then
        closed = call("LLEN", activeKey) >= concurrency
    end
    return closed, readMaxEvents(meta[3], metaKey)
end
