--- @include "includes/workKeys"
--- @include "includes/call"

-- What a worker must know of `meta`, read once: paused, concurrency, max and duration of the rate limit, cap of the events.
local meta = call("HMGET", metaKey, "paused", "concurrency", "max", "duration", "opts.maxLenEvents")
