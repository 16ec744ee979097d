--- @include "includes/call"

-- Writes down which job owns a deduplication id: until its `ttl` is over, else until the job is finished. With
-- keepLastIfActive it is always the latter. `dedup` is the `de` of stored options.
local function claimDedupKey(dedupKey, jobId, dedup)
    local ttl = not dedup.keepLastIfActive and tonumber(dedup.ttl) or 0
    if ttl > 0 then
        call("SET", dedupKey, jobId, "PX", ttl)
    else
        call("SET", dedupKey, jobId)
    end
end
