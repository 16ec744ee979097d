--- @include "includes/pendingJob"

-- What became of the job that a scheduler's next run hangs on: "gone" when it is in no state at all; "ran" when a worker took it before
-- `since` (ms) and made no next one, whatever became of it then; "late" when it is ready, but nobody took it; nil when all is well.
local function lossOf(id, since)
    local key = base .. id
    local job = call("HMGET", key, "name", "finishedOn", "processedOn")
    if not job[1] then
        return "gone"
    end
    local state = pendingState(id)
    if state then
        return state ~= "delayed" and "late" or nil
    elseif job[2] or call("EXISTS", key .. ":lock") == 1 or call("LPOS", activeKey, id, "MAXLEN", WAIT_REACH) or
        call("ZSCORE", base .. "waiting-children", id) then
        return (tonumber(job[3] or job[2]) or since) < since and "ran" or nil
    end
    local tooLong = 2 * tonumber(WAIT_REACH)
    if call("LLEN", waitKey) > tooLong or call("LLEN", activeKey) > tonumber(WAIT_REACH) then
        return nil -- it may stand where nobody looked
    end
    return "gone"
end
