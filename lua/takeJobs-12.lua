-- Takes jobs for a worker: promotes delayed jobs that are due, then moves up to the wanted number from `wait`, else
-- from `prioritized`, to `active`, each with a lock. Nothing is taken while the queue is paused, at its global
-- concurrency or limited. With 0 wanted it does all but take: it leaves the markers that wake others.
--
-- Input:  KEYS and ARGV 1 to 8 as in includes/workKeys
--         ARGV[9] "1": also leave the marker of the next delayed job (a worker that had taken it is going to close)
-- Output: {{}, now ms, ms the rate limit asks to rest, due ms of the first delayed job,
--          id, hash as it was before or a text that says why it cannot be run, …}
-- Events: waiting (prev delayed), active
--- @include "includes/workKeys"
--- @include "includes/serverTime"
--- @include "includes/readMeta"
local reply, ready, taken = {{}}, false, 0
local nowMs, now = serverTime()
do
    --- @include "includes/takeJobs"
end
if ARGV[9] == "1" then
    --- @include "includes/addMarker"
    addDelayMarker(markerKey, delayedKey)
end
return reply
