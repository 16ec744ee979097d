--- @include "includes/tryCall"

-- Appends an event to the queue's stream: emitEvent(eventsKey, "waiting", jobId, "prev", "delayed"). A key that is no stream stops
-- nothing. The stream is not trimmed here: a script calls trimEvents() once, however many events it emits.
local emitEvent = tryEvent

-- Cuts the stream to about `maxEvents` (queueGate() or getMaxEvents() gives it).
local function trimEvents(eventsKey, maxEvents)
    tryCall("XTRIM", eventsKey, "MAXLEN", "~", maxEvents)
end
