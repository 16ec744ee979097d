--- @include "includes/pendingJob"

-- What became of the job that a scheduler's next run hangs on: "gone" when it is in no state at all, "ended" when it has run and made no
-- next one; nil when all is well, it is late at most.
local function lossOf(id)
    local key = base .. id
    local job = call("HMGET", key, "name", "finishedOn")
    if not job[1] then
        return "gone"
    elseif pendingState(id) then
        return nil
    elseif job[2] then
        return "ended"
    elseif call("EXISTS", key .. ":lock") == 1 or call("LPOS", activeKey, id, "MAXLEN", WAIT_REACH) or
        call("ZSCORE", base .. "waiting-children", id) then
        return nil
    end
    local tooLong = 2 * tonumber(WAIT_REACH)
    if call("LLEN", waitKey) > tooLong or call("LLEN", activeKey) > tonumber(WAIT_REACH) then
        return nil -- it may stand where nobody looked
    end
    return "gone"
end
