--- @include "includes/call"

-- How many events the stream keeps, about; written to meta when it is missing, as every client of the queue does.
-- Returns a text.
local function defaultMaxEvents(metaKey)
    call("HSET", metaKey, "opts.maxLenEvents", "10000")
    return "10000"
end

local function getMaxEvents(metaKey)
    return call("HGET", metaKey, "opts.maxLenEvents") or defaultMaxEvents(metaKey)
end
