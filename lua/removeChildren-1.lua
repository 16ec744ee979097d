-- Removes the children that a job waits for, with those that they wait for, in any queue, children first. A child that a
-- worker has (it is locked), or that has failed, stays. A slice of them a call.
--
-- Input:
--   KEYS  job
--   ARGV  1 where in its `dependencies` to go on: what the call before returned, first "0"
--         2 most jobs to look at
--
-- Output: where the next call goes on, maybe at the same place; "" when there is nothing left to do
-- Events: removed (prev: the state it was in), in each job's own queue; waiting (prev waiting-children) of a parent without
--         children

--- @include "includes/jobKey"
--- @include "includes/releaseParent"
--- @include "includes/removeFromQueue"

local JOB = KEYS[1]
local from, most = ARGV[1], tonumber(ARGV[2])

local looked, done = 0, 0
local under = {} -- jobs whose children are being removed: bad data may make a circle
local keeps = {} -- those of them of which a child stays: they are not released by the others
local removeTree

-- One job at least is done a call, however long the lists are.
local function hasDoneItsShare()
    return done > 0 and looked + searched >= most
end

-- False when the call has done its share.
local function removeAllChildren(jobKey)
    local dependencies = jobKey .. ":dependencies"
    local children = call("SRANDMEMBER", dependencies, "100")
    while #children > 0 do
        for _, child in ipairs(children) do
            if hasDoneItsShare() or not removeTree(child, jobKey) then
                return false
            end
        end
        children = call("SRANDMEMBER", dependencies, "100")
    end
    return true
end

removeTree = function(jobKey, parentKey)
    local base, id = splitJobKey(jobKey)
    looked = looked + 1
    if under[jobKey] or call("EXISTS", jobKey .. ":lock") == 1 or call("ZSCORE", base .. "failed", id) then
        done = done + 1
        keeps[parentKey] = true
        if parentKey ~= JOB then
            call("SREM", parentKey .. ":dependencies", jobKey) -- its parent goes all the same
        end
        return true
    end
    under[jobKey] = true
    if not removeAllChildren(jobKey) then
        return false
    end
    under[jobKey] = nil
    if keeps[parentKey] then
        call("SREM", parentKey .. ":dependencies", jobKey)
    else
        releaseParent(parentKey, jobKey)
    end
    removeFromQueue(base, id)
    done = done + 1
    return true
end

under[JOB] = true
local page = call("SSCAN", JOB .. ":dependencies", from, "COUNT", "100")
for _, child in ipairs(page[2]) do
    if hasDoneItsShare() or not removeTree(child, JOB) then
        return from
    end
end
return page[1] == "0" and "" or page[1]
