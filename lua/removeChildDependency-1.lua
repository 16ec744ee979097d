-- A job is no longer a child of its parent. A parent that waited for nothing else goes to the head of its queue's `wait`.
--
-- Input:  KEYS: job
-- Output: 0; 1 it has no parent, or one that does not wait for it
-- Errors: -1 no such job, -5 its parent does not exist
-- Events: waiting (prev waiting-children) of the parent
--- @include "includes/releaseParent"
local job = KEYS[1]
if call("EXISTS", job) == 0 then
    return -1
end
local parent = call("HGET", job, "parentKey")
if not parent or parent == "" then
    return 1
elseif call("EXISTS", parent) == 0 then
    return -5
elseif call("SISMEMBER", parent .. ":dependencies", job) == 0 then
    return 1
end
releaseParent(parent, job)
call("HDEL", job, "parentKey", "parent")
return 0
