--- @include "includes/childFinished"

-- A job that exists is added again as a child: it becomes one, unless it has another parent that is still there; then nothing is
-- changed, and -7 returned. A completed one gives its result to the parent at once, any other is waited for. `release`: a
-- parent that has no other child left goes on; `nowMs` is when. Events: those of readyParent.
local function attachExisting(base, id, parentKey, parentJson, release, nowMs)
    local jobKey = base .. id
    local known = call("HGET", jobKey, "parentKey")
    if known and known ~= parentKey and call("EXISTS", known) == 1 then
        return -7
    end
    if call("ZSCORE", base .. "completed", id) then
        call("HSET", parentKey .. ":processed", jobKey, call("HGET", jobKey, "returnvalue") or "null")
        if release then
            local parentBase, parentId = parentOf(parentKey, parentJson)
            releaseParentOfLast(parentBase, parentId, nowMs)
        end
    else
        call("SADD", parentKey .. ":dependencies", jobKey)
    end
    call("HSET", jobKey, "parentKey", parentKey, "parent", parentJson)
end
