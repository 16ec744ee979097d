-- Adds jobs to a queue, in order: standard, delayed and prioritized ones mixed. Jobs that differ in nothing but data (and
-- id) stand in one group, so that what they share is sent, converted and looked at once.
--
-- Input:
--   KEYS  id, meta, wait, prioritized, delayed, active, events, marker, pc
--   ARGV  1     the queue's base ("bull:email:")
--         2     number of jobs in all groups, at most a few thousand
--         3...  groups: state, name, opts, timestamp, delay, priority, flags, count, with flag "p" key and JSON of the parent, then
--               per job: id (only with own ids), data
--               state is W (to the tail of wait), H (to its head), D (delayed) or P (prioritized); times are in ms; opts is the
--               stored JSON; flags: "i" own ids, "d" deduplicated by the `de` of opts, which is their last member, "p" children of a
--               parent, "id", "ip", "" none
--
-- Output:
--   the number that the first job got, or would have got: every job takes the next one, those with an id of their own too. So the
--   caller knows all ids. An id that exists is left as it is, but for its parent (see includes/attachExisting). When jobs were not
--   stored because others own their deduplication ids, or were refused: an array of that number, and for each such job its place in the
--   call (from 0), and the owner's id or a code.
--
-- Errors, each of one job: -5 its parent does not exist, -7 it exists and has another parent
-- Events: per job added, then waiting or delayed; or duplicated; or what includes/deduplicate says; those of parents

local ID, META, WAIT, PRIORITIZED, DELAYED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ACTIVE, EVENTS, MARKER, PC = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local base, total = ARGV[1], ARGV[2]

--- @include "includes/addMarker"
--- @include "includes/emitEvent"
--- @include "includes/queueGate"

-- A key of a wrong type stops the script here, before anything is stored.
local function checkPlaces()
    local at, checked = 3, nil
    while ARGV[at] do
        local state, flags, first, each = ARGV[at], ARGV[at + 6], at + 8, 1
        local isDeduplicated = flags == "d" or flags == "id" -- an owner may be delayed, or active
        if state ~= checked then
            if state == "W" or state == "H" then
                call("LLEN", WAIT)
            elseif state == "P" then
                call("ZCARD", PRIORITIZED)
            end
            checked = state
        end
        if state == "D" or isDeduplicated then
            call("ZCARD", DELAYED)
        end
        if isDeduplicated then
            call("LLEN", ACTIVE)
        end
        if flags ~= "" then
            each = string.sub(flags, 1, 1) == "i" and 2 or 1
            if flags == "p" or flags == "ip" then
                call("SCARD", ARGV[first] .. ":dependencies")
                first = first + 2
            end
        end
        at = first + ARGV[at + 7] * each
    end
end

local closed, maxEvents = queueGate(META, ACTIVE)
checkPlaces()
local number = call("INCRBY", ID, total) - tonumber(total)
if number < 0 or number > 2 ^ 53 - 1e6 then
    call("DECRBY", ID, total)
    return redis.error_reply("ERR the queue's counter of jobs, " .. ID .. ", holds no number that can be an id")
end
local first = number + 1
local tail, head = {}, {}
local instead = { first } -- places and why the job there was not stored
local format = string.format

-- The job at hand is not stored: another is there instead, or a code says why.
local function note(why)
    instead[#instead + 1] = number - first
    instead[#instead + 1] = why
end

-- What most calls have no need of, since they are of standard jobs: a script makes its functions anew at each call, and these
-- only when they are wanted.
local made
local function rare()
    if made then
        return made
    end
    --- @include "includes/attachExisting"
    --- @include "includes/deduplicate"
    local delayedScores, nextScores = {}, {}
    local prioritized, priorities = {}, {}
    local children = {} -- the new ones of one parent so far
    local queue = { base = base, delayed = DELAYED, active = ACTIVE, events = EVENTS, marker = MARKER }
    made = {}

    -- The next score of a due time, of which the server is asked once.
    local function scoreOf(due)
        local score = nextScores[due] or delayedScore(DELAYED, due)
        nextScores[due] = math.min(score + 1, due * 4096 + 4095)
        return score
    end

    function made.addDelayed(id, due)
        local n = #delayedScores
        delayedScores[n + 1] = scoreOf(due)
        delayedScores[n + 2] = id
    end

    -- Everything delayed so far goes into `delayed`.
    function made.flushDelayed()
        if #delayedScores > 0 then
            call("ZADD", DELAYED, unpack(delayedScores))
            addDelayMarker(MARKER, DELAYED)
            delayedScores = {}
        end
    end

    function made.addPrioritized(id, priority)
        prioritized[#prioritized + 1] = id
        priorities[#priorities + 1] = priority
    end

    -- Returns how many there were.
    function made.flushPrioritized()
        if #prioritized > 0 then
            local counter = nextPriorityCounter(PC, #prioritized)
            local members = {}
            for i = 1, #prioritized do
                members[2 * i - 1] = prioritizedScore(tonumber(priorities[i]), counter + i - 1)
                members[2 * i] = prioritized[i]
            end
            call("ZADD", PRIORITIZED, unpack(members))
        end
        return #prioritized
    end

    -- True when another job has the deduplication id, so that `job` is not stored.
    function made.isOwnedByOther(dedup, job)
        made.flushDelayed()
        nextScores = {} -- an owner may leave `delayed`, or move within it
        local owner = deduplicate(queue, dedup, job)
        if owner then
            note(owner)
        end
        return owner
    end

    -- As storeHash, in one command.
    function made.storeChild(key, name, data, opts, timestamp, delay, priority, parentKey, parentJson)
        local stored = redis.pcall("HSET", key, "name", name, "data", data, "opts", opts, "timestamp", timestamp,
                                   "delay", delay, "priority", priority, "parentKey", parentKey, "parent", parentJson)
        if type(stored) == "table" then
            call("DEL", key)
            call("HSET", key, "name", name, "data", data, "opts", opts, "timestamp", timestamp,
                 "delay", delay, "priority", priority, "parentKey", parentKey, "parent", parentJson)
        end
        children[#children + 1] = key
    end

    function made.flushChildren(parentKey)
        if #children > 0 then
            call("SADD", parentKey .. ":dependencies", unpack(children))
            children = {}
        end
    end

    -- An id of the caller's that exists. Event: duplicated.
    function made.keepExisting(id, parentKey, parentJson, timestamp)
        local known, refused
        if parentKey then
            made.flushChildren(parentKey) -- a parent is not released while it has children yet to be added
            known, refused = pcall(attachExisting, base, id, parentKey, parentJson, true, tonumber(timestamp))
        end
        if known and refused then
            note(refused)
        else
            emitEvent(EVENTS, "duplicated", id)
        end
    end
    return made
end

-- The hash of a new job. What else stands in its place makes way.
local try = redis.pcall
local function storeHash(key, name, data, opts, timestamp, delay, priority)
    local stored = try("HSET", key, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", delay,
                       "priority", priority)
    if type(stored) == "table" then
        call("DEL", key)
        call("HSET", key, "name", name, "data", data, "opts", opts, "timestamp", timestamp, "delay", delay,
             "priority", priority)
    end
end

-- The event of a single job cuts the stream, too; after many it is cut at the end.
local isSingle = total == "1"
local function tellAdded(id, name)
    if isSingle then
        try("XADD", EVENTS, "MAXLEN", "~", maxEvents, "*", "event", "added", "jobId", id, "name", name)
    else
        try("XADD", EVENTS, "*", "event", "added", "jobId", id, "name", name)
    end
end

local at = 3
while ARGV[at] do
    local state, name, opts, timestamp = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local delay, priority, flags, count = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], tonumber(ARGV[at + 7])
    local ownIds = flags == "i" or flags == "id" or flags == "ip"
    local parentKey, parentJson, orphans
    -- The rest of the options may hold what cjson refuses (half a surrogate pair), so it is not looked at.
    local dedup = (flags == "d" or flags == "id") and cjson.decode(string.match(opts, '^.*,"de":(.*)}$'))
    local due = state == "D" and tonumber(timestamp) + tonumber(delay)
    local dueText = due and format("%.0f", due)
    at = at + 8
    if flags == "p" or flags == "ip" then
        parentKey, parentJson = ARGV[at], ARGV[at + 1]
        orphans = call("EXISTS", parentKey) == 0
        at = at + 2
    end

    for _ = 1, count do
        number = number + 1
        local id
        if ownIds then
            id = ARGV[at]
            at = at + 1
        else
            id = format("%.0f", number)
        end
        local key = base .. id

        if orphans then
            note(-5)
        elseif ownIds and call("EXISTS", key) == 1 then
            rare().keepExisting(id, parentKey, parentJson, timestamp)
        elseif not (dedup and rare().isOwnedByOther(dedup, { id = id, name = name, data = ARGV[at], opts = opts,
                                                             timestamp = timestamp, delay = delay })) then
            if parentKey then
                rare().storeChild(key, name, ARGV[at], opts, timestamp, delay, priority, parentKey, parentJson)
            else
                storeHash(key, name, ARGV[at], opts, timestamp, delay, priority)
            end
            if dedup then
                call("HSET", key, "deid", dedup.id)
            end
            tellAdded(id, name)
            if due then
                rare().addDelayed(id, due)
                try("XADD", EVENTS, "*", "event", "delayed", "jobId", id, "delay", dueText)
            else
                if state == "W" then
                    tail[#tail + 1] = id
                elseif state == "H" then
                    head[#head + 1] = id
                else
                    rare().addPrioritized(id, priority)
                end
                try("XADD", EVENTS, "*", "event", "waiting", "jobId", id)
            end
        end
        at = at + 1
    end
    if parentKey then
        rare().flushChildren(parentKey)
    end
end

if #tail > 0 then
    call("LPUSH", WAIT, unpack(tail))
end
if #head > 0 then
    call("RPUSH", WAIT, unpack(head))
end
local ready = #tail + #head + (made and made.flushPrioritized() or 0)
if not closed and ready > 0 then
    addBaseMarker(MARKER)
end
if made then
    made.flushDelayed()
end
if not isSingle then
    trimEvents(EVENTS, maxEvents)
end
return #instead > 1 and instead or first
