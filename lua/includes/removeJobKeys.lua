--- @include "includes/call"
--- @include "includes/isJobId"

-- Deletes a job's hash, logs and lists of children, not its lock; a parent's may be very long, so their memory is freed beside the
-- server's work. Returns how many of these keys there were.
local function removeJobKeys(jobKey)
    if not isJobId(string.match(jobKey, "[^:]*$")) then
        return 0
    end
    return call("UNLINK", jobKey, jobKey .. ":logs", jobKey .. ":dependencies", jobKey .. ":processed", jobKey .. ":failed",
                jobKey .. ":unsuccessful")
end
