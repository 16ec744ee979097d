--- @include "includes/addToState"
--- @include "includes/firstDue"
--- @include "includes/tryCall"

-- Jobs promoted a call at most: with 1,000,000 jobs due at once the server still serves others in between.
local PROMOTE_MAX = 250

-- Moves due jobs from `delayed` to where they are taken from. Events: waiting (prev delayed). Marker and keys (workKeys or
-- schedulerKeys): the caller's.
-- Returns how many, and the due ms of the first one left (nil: none).
local function promoteDelayed(nowMs)
    local ids = call("ZRANGEBYSCORE", delayedKey, "-inf", (nowMs + 1) * 4096 - 1, "LIMIT", "0", PROMOTE_MAX)
    local ready = {}
    for _, id in ipairs(ids) do
        local job = tryCall("HMGET", base .. id, "priority", "delay") or {}
        local priority = tonumber(job[1]) or 0
        if priority > 0 then
            addReady(waitKey, prioritizedKey, pcKey, "LPUSH", id, priority)
        else
            ready[#ready + 1] = id
        end
        if job[2] and job[2] ~= "0" then
            call("HSET", base .. id, "delay", "0")
        end
        tryEvent(eventsKey, "waiting", id, "prev", "delayed")
    end
    if ready[1] then
        call("LPUSH", waitKey, unpack(ready))
    end
    call("ZREM", delayedKey, unpack(ids)) -- last: where a key of a wrong type ends the script, none is lost
    return #ids, firstDue()
end
