--- @include "includes/addMarker"
--- @include "includes/delayedScore"
--- @include "includes/prioritizedScore"

-- Makes a job ready: into `prioritized` when it has a priority (a number > 0), else into `wait` by `push`: "LPUSH" for
-- its tail, "RPUSH" for its head; likewise when `prioritized` is no set, for a job must not be lost. Marker and event are
-- the caller's.
local function addReady(waitKey, prioritizedKey, pcKey, push, jobId, priority)
    if priority > 0 then
        local counter = nextPriorityCounter(pcKey, 1)
        if tryCall("ZADD", prioritizedKey, prioritizedScore(priority, counter), jobId) then
            return
        end
    end
    call(push, waitKey, jobId)
end

-- Lets a job wait until `dueMs` (a number). Marker and event are the caller's.
local function addDelayed(delayedKey, jobId, dueMs)
    call("ZADD", delayedKey, delayedScore(delayedKey, dueMs), jobId)
end

-- The stored priority of a job as a number; 0 when it is missing or not a number.
local function priorityOf(jobKey)
    return tonumber((tryCall("HGET", jobKey, "priority"))) or 0
end
