--- @include "includes/workKeys"
--- @include "includes/removeJobKeys"
--- @include "includes/releaseParent"
--- @include "includes/tryCall"

-- Jobs that this call may still remove, however many outcomes it has: a queue with 1,000,000 kept ones is cut down in slices.
local removable = 250

-- Deletes finished jobs, as removeJobKeys() does, many keys a command. A failed child may still be what its parent waits
-- for; a completed one never is.
local function removeFinished(set, ids)
    local keys, n = {}, 0
    removable = removable - #ids
    for i = 1, #ids do
        local jobKey = base .. ids[i]
        local parentKey = set == failedKey and tryCall("HGET", jobKey, "parentKey")
        if parentKey and parentKey ~= "" then
            pcall(releaseParent, parentKey, jobKey)
        end
        keys[n + 1], keys[n + 2], keys[n + 3] = jobKey, jobKey .. ":logs", jobKey .. ":dependencies"
        keys[n + 4], keys[n + 5], keys[n + 6] = jobKey .. ":processed", jobKey .. ":failed", jobKey .. ":unsuccessful"
        n = n + 6
    end
    call("DEL", unpack(keys))
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
    local popped, ids = call("ZPOPMIN", set, surplus), {}
    for i = 1, #popped, 2 do
        ids[#ids + 1] = popped[i]
    end
    removeFinished(set, ids)
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
