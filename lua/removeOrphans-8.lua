-- Removes those of some jobs that are in no state any more: nobody will ever run or show them.
--
-- Input:
--   KEYS  wait, paused, active, prioritized, delayed, completed, failed, waiting-children
--   ARGV  1 the queue's base ("bull:email:")
--         2 most elements of a list that are looked at for one job
--         3 elements looked at in all, about; at least one job is looked at
--         4 … ids
--
-- Output: how many ids were looked at, how many jobs of them removed
-- Errors: code -16 a list is longer than that
-- Events: those of parents that need no longer wait for a removed child

--- @include "includes/removeJobKeys"
--- @include "includes/releaseParent"
--- @include "includes/tryCall"

local base, most, left = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local LISTS = 3
local cost, looked, removed = 100, 0, 0

local function isInAState(id)
    for i = LISTS + 1, #KEYS do
        if call("ZSCORE", KEYS[i], id) then
            return true
        end
    end
    for i = 1, LISTS do
        if call("LPOS", KEYS[i], id) then
            return true
        end
    end
    return false
end

-- Only what looks like a job: its hash, or what is left beside it.
local function remove(id)
    local jobKey = base .. id
    local kind = call("TYPE", jobKey).ok
    if kind ~= "hash" and kind ~= "none" then
        return
    end
    local parentKey = tryCall("HGET", jobKey, "parentKey")
    if removeJobKeys(jobKey) + call("DEL", jobKey .. ":lock") > 0 then
        removed = removed + 1
    end
    if parentKey and parentKey ~= "" then
        pcall(releaseParent, parentKey, jobKey)
    end
end

for i = 1, LISTS do
    local length = call("LLEN", KEYS[i])
    if length > most then
        return -16
    end
    cost = cost + length
end
for i = 4, #ARGV do
    if looked > 0 and left < cost then
        break
    end
    left = left - cost
    looked = looked + 1
    if not isInAState(ARGV[i]) then
        remove(ARGV[i])
    end
end
return {looked, removed}
