--- @include "includes/workKeys"
--- @include "includes/tryCall"

local waitingChildrenKey = base .. "waiting-children"

-- Does a job have children that it could wait for: any, or the one whose key is given ("": any)?
local function hasPendingChild(jobKey, child)
    if child == "" then
        return call("EXISTS", jobKey .. ":dependencies") == 1
    end
    return tryCall("SISMEMBER", jobKey .. ":dependencies", child) == 1
end

-- A job that was active waits for its children. Event: waiting-children (prev active).
local function waitForChildren(jobId, now)
    call("ZADD", waitingChildrenKey, now, jobId)
    tryEvent(eventsKey, "waiting-children", jobId, "prev", "active")
end
