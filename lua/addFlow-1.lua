-- Adds trees of jobs, over any queues, all of them or none: parents wait for their children. A job with an id of the caller's
-- that exists is left as it is, but for its parent (see includes/attachExisting).
--
-- Input:
--   KEYS  the first job's key
--   ARGV  for each job, parents before their children: base of its queue ("bull:email:"), id, "1" if the id is the caller's own (else
--         it is new for sure), state, name, opts, data, timestamp, delay, priority, full key and JSON of its parent (both empty: none)
--         state is W (to the tail of wait), H (to its head), D (delayed), P (prioritized) or C (waits for its children); times are in ms;
--         opts is the stored JSON
--
-- Output: 0; when nothing was added, an array: a code, and the key that it is about
-- Errors: -5 the parent of a whole tree does not exist, -7 a job exists and has another parent, -15 two jobs have one id
-- Events: per job added, then waiting, delayed or waiting-children; or duplicated; those of parents

--- @include "includes/addToState"
--- @include "includes/attachExisting"
--- @include "includes/emitEvent"
--- @include "includes/queueGate"

local STRIDE = 12
local count = #ARGV / STRIDE

-- Does another parent, one that is still there, have the job?
local function isTaken(key, parentKey)
    local known = call("HGET", key, "parentKey")
    return known and parentKey ~= "" and known ~= parentKey and call("EXISTS", known) == 1
end

-- A key of a wrong type stops the script before anything is added.
local function checkQueue(base)
    call("LLEN", base .. "wait")
    call("LLEN", base .. "active")
    call("GET", base .. "id")
    call("GET", base .. "pc")
    call("XLEN", base .. "events")
    call("HLEN", base .. "meta")
    for _, set in ipairs({ "prioritized", "delayed", "waiting-children", "completed", "marker" }) do
        call("ZCARD", base .. set)
    end
    return 0
end

local function checkParent(parentKey)
    call("SCARD", parentKey .. ":dependencies")
    call("HLEN", parentKey .. ":processed")
    return true
end

local jobsOf = {} -- base of a queue -> jobs that it gets

-- What keeps the whole from being added: a code and a key.
local function refusal()
    local seen, parents = {}, { [""] = true }
    for at = 0, #ARGV - 1, STRIDE do
        local base, id, own, parentKey = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3], ARGV[at + 11]
        local key = base .. id
        jobsOf[base] = (jobsOf[base] or checkQueue(base)) + 1
        parents[parentKey] = parents[parentKey] or checkParent(parentKey)
        if parentKey ~= "" and not seen[parentKey] and call("EXISTS", parentKey) == 0 then
            return -5, parentKey
        elseif seen[key] then
            return -15, key
        elseif own == "1" and isTaken(key, parentKey) then
            return -7, key
        end
        seen[key] = true
    end
end

local queues, order = {}, {}

-- What is known of a queue: is it closed, the cap of its events; the jobs that go into `wait`; scores and ids
-- of those that go into `delayed`, and the next score of each due time.
local function queueOf(base)
    local queue = queues[base]
    if not queue then
        local closed, maxEvents = queueGate(base .. "meta", base .. "active")
        queue = { base = base, closed = closed, maxEvents = maxEvents, events = base .. "events", tail = {}, head = {},
                  delayed = {}, nextScores = {} }
        queues[base] = queue
        order[#order + 1] = queue
    end
    return queue
end

local function delay(queue, id, due)
    local score = queue.nextScores[due] or delayedScore(queue.base .. "delayed", due)
    local delayed = queue.delayed
    queue.nextScores[due] = math.min(score + 1, due * 4096 + 4095)
    delayed[#delayed + 1] = score
    delayed[#delayed + 1] = id
    emitEvent(queue.events, "delayed", id, "delay", string.format("%.0f", due))
end

-- Puts a job into its state. Events: waiting, delayed or waiting-children.
local function enqueue(queue, state, id, timestamp, delayMs, priority)
    local base = queue.base
    if state == "C" then
        call("ZADD", base .. "waiting-children", timestamp, id)
        emitEvent(queue.events, "waiting-children", id)
    elseif state == "D" then
        delay(queue, id, tonumber(timestamp) + tonumber(delayMs))
    else
        if state == "P" then
            addReady(base .. "wait", base .. "prioritized", base .. "pc", "LPUSH", id, tonumber(priority))
        else
            local list = state == "H" and queue.head or queue.tail
            list[#list + 1] = id
        end
        queue.ready = true
        emitEvent(queue.events, "waiting", id)
    end
end

local newChildren = {} -- parent's key -> keys of children
local maybeReady = {} -- parents that got a child which exists: it may have ended

local function addChild(parentKey, key)
    local children = newChildren[parentKey]
    if not children then
        children = {}
        newChildren[parentKey] = children
    end
    children[#children + 1] = key
end

local function keepExisting(queue, id, parentKey, parent, timestamp)
    if parentKey ~= "" then
        attachExisting(queue.base, id, parentKey, parent, false, tonumber(timestamp))
        maybeReady[#maybeReady + 1] = { parentKey, parent, tonumber(timestamp) }
    end
    emitEvent(queue.events, "duplicated", id)
end

local function add(base, id, own, state, name, opts, data, timestamp, delayMs, priority, parentKey, parent)
    local queue, key = queueOf(base), base .. id
    if own == "1" and call("EXISTS", key) == 1 then
        keepExisting(queue, id, parentKey, parent, timestamp)
        return
    end
    if parentKey == "" then
        call("HSET", key, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", delayMs,
             "priority", priority)
    else
        call("HSET", key, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", delayMs,
             "priority", priority, "parentKey", parentKey, "parent", parent)
        addChild(parentKey, key)
    end
    emitEvent(queue.events, "added", id, "name", name)
    enqueue(queue, state, id, timestamp, delayMs, priority)
end

local function finishQueue(queue)
    local base = queue.base
    if #queue.tail > 0 then
        call("LPUSH", base .. "wait", unpack(queue.tail))
    end
    if #queue.head > 0 then
        call("RPUSH", base .. "wait", unpack(queue.head))
    end
    if queue.ready and not queue.closed then
        addBaseMarker(base .. "marker")
    end
    if #queue.delayed > 0 then
        call("ZADD", base .. "delayed", unpack(queue.delayed))
        addDelayMarker(base .. "marker", base .. "delayed")
    end
    trimEvents(queue.events, queue.maxEvents)
end

local code, about = refusal()
if code then
    return { code, about }
end
for base, jobs in pairs(jobsOf) do
    call("INCRBY", base .. "id", jobs)
end
for at = 0, (count - 1) * STRIDE, STRIDE do
    add(unpack(ARGV, at + 1, at + STRIDE))
end
for parentKey, children in pairs(newChildren) do
    call("SADD", parentKey .. ":dependencies", unpack(children))
end
for _, queue in ipairs(order) do
    finishQueue(queue)
end
for _, parent in ipairs(maybeReady) do
    local parentBase, parentId = parentOf(parent[1], parent[2])
    pcall(releaseParentOfLast, parentBase, parentId, parent[3]) -- its queue may be another; all is added, whatever is there
end
return 0
