--- @include "includes/call"

-- Is the job the one that its job scheduler waits for next? Such a job must not be removed by itself.
local function isPendingSchedulerJob(jobKey, jobId, repeatKey)
    local schedulerId = call("HGET", jobKey, "rjk")
    local next = schedulerId and call("ZSCORE", repeatKey, schedulerId)
    return next and jobId == "repeat:" .. schedulerId .. ":" .. next
end
