--- @include "includes/tryCall"

-- How far from an end, or around the place that the caller found, a list is searched for a job.
local REACH = 1000

-- Longer lists are not searched as a whole if the caller can say where: a million entries take the server 15 ms.
local LONG = 100000

-- Whether the job, if the list has it, lies so deep in a long one that the caller should look for it in slices.
local function isBuried(list, jobId)
    return (tryCall("LLEN", list) or 0) > LONG and not tryCall("LPOS", list, jobId, "MAXLEN", REACH)
            and not tryCall("LPOS", list, jobId, "RANK", "-1", "MAXLEN", REACH)
end

-- An empty entry is found in half the time that a number takes, and from the nearer end.
local function takeOutAt(list, index, length)
    call("LSET", list, index, "")
    return call("LREM", list, index < length / 2 and "1" or "-1", "") == 1
end

local function takeOutAround(list, jobId, fromEnd)
    local length = tryCall("LLEN", list) or 0
    local first = math.max(length - fromEnd - REACH, 0)
    for i, entry in ipairs(tryCall("LRANGE", list, first, first + 2 * REACH) or {}) do
        if entry == jobId then
            return takeOutAt(list, first + i - 1, length)
        end
    end
    return false
end

-- Takes a job out of a list: near the place where the caller saw it (counted from the end; nil: he did not look, 0: it was not
-- there), near an end, or else wherever it is. Returns whether it was there, and whether the whole list was searched.
local function takeOutOfList(list, jobId, fromEnd)
    if fromEnd and fromEnd > 0 and takeOutAround(list, jobId, fromEnd) then
        return true, false
    elseif tryCall("LPOS", list, jobId, "RANK", "-1", "MAXLEN", REACH) then
        return tryCall("LREM", list, "-1", jobId) == 1, false
    end
    local near = tryCall("LPOS", list, jobId, "MAXLEN", REACH)
    if fromEnd == 0 and not near then
        return false, false
    end
    return tryCall("LREM", list, "1", jobId) == 1, not near
end
