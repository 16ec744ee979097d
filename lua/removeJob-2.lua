-- Removes a job from whatever state it is in, with all that belongs to it and all its children, in any queue, children first.
-- A job that a worker has (it or an unfinished child is locked) is left alone.
--
-- Input:
--   KEYS  job, repeat
--   ARGV  1 the queue's base ("bull:email:")
--         2 job id
--         3 most jobs to remove in this call; fewer where long lists are searched for them
--         4 "1": its children stay, as jobs whose parent is gone
--         5 the list that the caller found it in; "": he did not look
--         6 its place there, counted from the end; 0: it is in none
--
-- Output: 0 removed; 1 so far only children were: call again; 2 it may be deep in a long list: look for it and call again
-- Errors: -1 no such job, -6 a worker has it, -8 a job scheduler waits for it
-- Events: removed (prev: the state it was in), in each job's own queue; waiting (prev waiting-children) of a parent that it was the last child of

--- @include "includes/isJobId"
--- @include "includes/isPendingSchedulerJob"
--- @include "includes/jobKey"
--- @include "includes/releaseParent"
--- @include "includes/removeFromQueue"

local JOB, REPEAT = KEYS[1], KEYS[2]
local base, id, most, keepChildren = ARGV[1], ARGV[2], tonumber(ARGV[3]), ARGV[4] == "1"
local place = ARGV[5] ~= "" and { list = ARGV[5], fromEnd = tonumber(ARGV[6]) } or nil

-- At most `most` jobs of a tree are looked at; the rest when their turn comes, in a later call.
local looked = 0
local function isLocked(jobKey)
    looked = looked + 1
    if call("EXISTS", jobKey .. ":lock") == 1 then
        return true
    end
    local children = not keepChildren and looked < most and tryCall("SRANDMEMBER", jobKey .. ":dependencies", most) or {}
    for _, child in ipairs(children) do
        if looked < most and isLocked(child) then
            return true
        end
    end
    return false
end

-- Where a job keeps its children: how to read some of them, and how to forget one.
local collections = {
    { ":processed", "HRANDFIELD", "HDEL" },
    { ":failed", "HRANDFIELD", "HDEL" },
    { ":unsuccessful", "ZRANGE", "ZREM" },
    { ":dependencies", "SRANDMEMBER", "SREM" },
}

local function someChildren(read, key)
    if read == "ZRANGE" then
        return tryCall(read, key, "0", "99") or {}
    end
    return tryCall(read, key, "100") or {}
end

local removed, found = 0, false
local under = {} -- jobs whose children are being removed: bad data may make a circle
local removeTree

-- False when the call has done its share.
local function removeChildren(jobKey)
    for _, collection in ipairs(collections) do
        local key, read, forget = jobKey .. collection[1], collection[2], collection[3]
        local children = someChildren(read, key)
        while #children > 0 do
            for _, child in ipairs(children) do
                if not under[child] and not removeTree(child, jobKey) then
                    if forget == "SREM" then
                        call("SADD", key, child) -- to be found again by the next call
                    end
                    return false
                end
                call(forget, key, child)
            end
            children = someChildren(read, key)
        end
    end
    return true
end

removeTree = function(jobKey, parentKey)
    local queueBase, jobId = splitJobKey(jobKey)
    if jobKey == JOB then
        queueBase, jobId = base, id -- the id of a scheduler's job holds ':'
    end
    parentKey = parentKey or tryCall("HGET", jobKey, "parentKey")
    if parentKey and parentKey ~= "" then
        pcall(releaseParent, parentKey, jobKey)
    end
    under[jobKey] = true
    if removed + searched >= most or not keepChildren and not removeChildren(jobKey) then
        return false
    end
    under[jobKey] = nil
    removed = removed + 1
    found = removeFromQueue(queueBase, jobId, jobKey == JOB and place or nil) or found
    return true
end

if not isJobId(id) then
    return -1
end
local known, pending = pcall(isPendingSchedulerJob, JOB, id, REPEAT)
if known and pending then
    return -8
end
if isLocked(JOB) then
    return -6
end
if not place and isBuriedInQueue(base, id) then
    return 2
end
if not removeTree(JOB) then
    return 1
end
return found and 0 or -1
