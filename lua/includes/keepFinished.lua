--- @include "includes/workKeys"
--- @include "includes/isJobId"
--- @include "includes/removeJobKeys"
--- @include "includes/releaseParent"
--- @include "includes/tryCall"

-- Jobs that this call may still remove, however many outcomes it has: a queue with 1,000,000 kept ones is cut down in slices.
local removable = 250

-- Deletes finished jobs, as removeJobKeys() does, many keys a command. A failed child may still be what its parent waits
-- for; a completed one never is.
local function removeFinished(set, ids)
    local keys, others, m, n = {}, {}, 0, 0
    removable = removable - #ids
    for i = 1, #ids do
        local jobKey = base .. ids[i]
        local parentKey = set == failedKey and tryCall("HGET", jobKey, "parentKey")
        if parentKey and parentKey ~= "" then
            pcall(releaseParent, parentKey, jobKey)
        end
        if isJobId(ids[i]) then
            m = m + 1
            keys[m] = jobKey
            others[n + 1], others[n + 2], others[n + 3] = jobKey .. ":logs", jobKey .. ":dependencies", jobKey .. ":processed"
            others[n + 4], others[n + 5] = jobKey .. ":failed", jobKey .. ":unsuccessful"
            n = n + 5
        end
    end
    if not keys[1] then
        return
    end
    call("DEL", unpack(keys))
    if call("EXISTS", unpack(others)) > 0 then -- most have none, and to look for a key costs less than to delete it in vain
        call("UNLINK", unpack(others))
    end
end

local function removeByAge(set, ageS, limit, nowMs)
    local oldest = string.format("%.0f", nowMs - ageS * 1000)
    local ids = call("ZREVRANGEBYSCORE", set, oldest, "-inf", "LIMIT", "0", math.min(limit, removable))
    if ids[1] then
        removeFinished(set, ids)
        call("ZREM", set, unpack(ids))
    end
end

local function removeByCount(set, count)
    local surplus = math.min(call("ZCARD", set) - count, removable)
    if surplus <= 0 then
        return
    end
    removeFinished(set, call("ZRANGE", set, "0", surplus - 1))
    call("ZREMRANGEBYRANK", set, "0", surplus - 1) -- what ZPOPMIN would do, without the scores
end

-- Retention, as "count:age in s:limit", each of them may be empty: no such bound.
local function keepFinished(set, keep, nowMs)
    local count, age, limit = string.match(keep, "^(%d*):(%d*):(%d*)$")
    if tonumber(age) then
        removeByAge(set, tonumber(age), tonumber(limit) or 1000, nowMs)
    end
    if tonumber(count) then
        removeByCount(set, tonumber(count))
    end
end
