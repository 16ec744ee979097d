--- @include "includes/call"

-- A finished child that runs again is again one that its parent waits for. `prev`: "failed" or "completed".
local function giveBackToParent(jobKey, prev)
    local parent = call("HGET", jobKey, "parentKey")
    if not parent or call("EXISTS", parent) == 0 then
        return
    end
    local known
    if prev == "failed" then
        known = call("ZREM", parent .. ":unsuccessful", jobKey) == 1 or call("HDEL", parent .. ":failed", jobKey) == 1
    else
        known = call("HDEL", parent .. ":processed", jobKey) == 1
    end
    if known then
        call("SADD", parent .. ":dependencies", jobKey)
    end
end
