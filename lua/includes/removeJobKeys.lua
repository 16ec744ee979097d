--- @include "includes/call"

-- Deletes a job's hash, logs and lists of children, not its lock. Returns how many of these keys there were.
local function removeJobKeys(jobKey)
    return call("DEL", jobKey, jobKey .. ":logs", jobKey .. ":dependencies", jobKey .. ":processed", jobKey .. ":failed",
                jobKey .. ":unsuccessful")
end
