--- @include "includes/call"

-- A job that is removed gives its deduplication id free, with what was kept to follow it, if it still owns the id.
local function removeDedupKey(base, jobId, dedupId)
    if dedupId and call("GET", base .. "de:" .. dedupId) == jobId then
        call("DEL", base .. "de:" .. dedupId, base .. "dn:" .. dedupId)
    end
end
