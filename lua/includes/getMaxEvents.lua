--- @include "includes/call"

-- How many events the stream keeps, about; written to meta when it is missing, as every client of the queue does.
-- Returns a text.
local function defaultMaxEvents(metaKey)
    call("HSET", metaKey, "opts.maxLenEvents", "10000")
    return "10000"
end

-- What is no number, or a monstrous one, is as good as missing, or nothing would ever be cut.
local function readMaxEvents(stored, metaKey)
    return stored and #stored < 16 and string.match(stored, "^%d+$") or defaultMaxEvents(metaKey)
end

local function getMaxEvents(metaKey)
    return readMaxEvents(call("HGET", metaKey, "opts.maxLenEvents"), metaKey)
end
