--- @include "includes/call"

-- Appends an event to the queue's stream: emitEvent(eventsKey, "waiting", jobId, "prev", "delayed").
-- The stream is not trimmed here: a script calls trimEvents() once, however many events it emits.
local function emitEvent(eventsKey, event, jobId, ...)
    call("XADD", eventsKey, "*", "event", event, "jobId", jobId, ...)
end

-- Cuts the stream to about `maxEvents` (queueGate() or getMaxEvents() gives it).
local function trimEvents(eventsKey, maxEvents)
    call("XTRIM", eventsKey, "MAXLEN", "~", maxEvents)
end
