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

--- @include "includes/addToState"
--- @include "includes/emitEvent"
--- @include "includes/queueGate"

local ID, META, WAIT, PRIORITIZED, DELAYED = KEYS[1], KEYS[2], KEYS[3], KEYS[4], KEYS[5]
local ACTIVE, EVENTS, MARKER, PC = KEYS[6], KEYS[7], KEYS[8], KEYS[9]
local base, total = ARGV[1], ARGV[2]

-- A key of a wrong type stops the script here, before anything is stored.
local function checkPlaces()
    local checks = { W = { "LLEN", WAIT }, H = { "LLEN", WAIT }, D = { "ZCARD", DELAYED }, P = { "ZCARD", PRIORITIZED } }
    local function check(state)
        if checks[state] then
            call(unpack(checks[state]))
            checks[state] = nil
        end
    end
    local at = 3
    while ARGV[at] do
        local flags = ARGV[at + 6]
        check(ARGV[at])
        local first = at + 8
        if flags == "d" or flags == "id" then
            check("D") -- an owner may be there, or active
            call("LLEN", ACTIVE)
        elseif flags == "p" or flags == "ip" then
            call("SCARD", ARGV[first] .. ":dependencies")
            first = first + 2
        end
        at = first + ARGV[at + 7] * (string.sub(flags, 1, 1) == "i" and 2 or 1)
    end
end

-- What most calls have no need of: a script makes its functions anew at each call, and these only when they are wanted.
local made
local function rare()
    if not made then
--- @include "includes/attachExisting"
--- @include "includes/deduplicate"
        made = { attachExisting = attachExisting, deduplicate = deduplicate }
    end
    return made
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
local prioritized, priorities = {}, {}
local delayedScores, nextScores = {}, {}
local instead = { first } -- places and why the job there was not stored
local format = string.format

-- A hash for a new job, whatever stands in its place.
local function storeHash(key, ...)
    if not tryCall("HSET", key, ...) then
        call("DEL", key)
        call("HSET", key, ...)
    end
end

-- The next score of a due time, of which the server is asked once.
local function scoreOf(due)
    local score = nextScores[due] or delayedScore(DELAYED, due)
    nextScores[due] = math.min(score + 1, due * 4096 + 4095)
    return score
end

-- Everything delayed so far goes into `delayed`.
local function flushDelayed()
    if #delayedScores > 0 then
        call("ZADD", DELAYED, unpack(delayedScores))
        addDelayMarker(MARKER, DELAYED)
        delayedScores = {}
    end
end

local queue = { base = base, delayed = DELAYED, active = ACTIVE, events = EVENTS, marker = MARKER }

-- The rest of the options may hold what cjson refuses (half a surrogate pair), so it is not looked at.
local function dedupOf(opts)
    return cjson.decode(string.match(opts, '^.*,"de":(.*)}$'))
end

-- The job at hand is not stored: another is there instead, or a code says why.
local function note(why)
    instead[#instead + 1] = number - first
    instead[#instead + 1] = why
end

-- True when another job has the deduplication id, so that `job` is not stored.
local function isOwnedByOther(dedup, job)
    flushDelayed()
    nextScores = {} -- an owner may leave `delayed`, or move within it
    local owner = rare().deduplicate(queue, dedup, job)
    if owner then
        note(owner)
    end
    return owner
end

-- The new children of one parent so far.
local children = {}

local function flushChildren(parentKey)
    if #children > 0 then
        call("SADD", parentKey .. ":dependencies", unpack(children))
        children = {}
    end
end

-- An id of the caller's that exists. Event: duplicated.
local function keepExisting(id, parentKey, parentJson, timestamp)
    local known, refused
    if parentKey then
        flushChildren(parentKey) -- a parent is not released while it has children yet to be added
        known, refused = pcall(rare().attachExisting, base, id, parentKey, parentJson, true, tonumber(timestamp))
    end
    if known and refused then
        note(refused)
    else
        emitEvent(EVENTS, "duplicated", id)
    end
end

local at = 3
while ARGV[at] do
    local state, name, opts, timestamp = ARGV[at], ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    local delay, priority, flags, count = ARGV[at + 4], ARGV[at + 5], ARGV[at + 6], tonumber(ARGV[at + 7])
    local ownIds = flags == "i" or flags == "id" or flags == "ip"
    local parentKey, parentJson, orphans
    local dedup = (flags == "d" or flags == "id") and dedupOf(opts)
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
            keepExisting(id, parentKey, parentJson, timestamp)
        elseif not (dedup and isOwnedByOther(dedup, { id = id, name = name, data = ARGV[at], opts = opts,
                                                      timestamp = timestamp, delay = delay })) then
            storeHash(key, "name", name, "data", ARGV[at], "opts", opts, "timestamp", timestamp, "delay", delay,
                      "priority", priority)
            if dedup then
                call("HSET", key, "deid", dedup.id)
            elseif parentKey then
                call("HSET", key, "parentKey", parentKey, "parent", parentJson)
                children[#children + 1] = key
            end
            emitEvent(EVENTS, "added", id, "name", name)
            if due then
                local n = #delayedScores
                delayedScores[n + 1] = scoreOf(due)
                delayedScores[n + 2] = id
                emitEvent(EVENTS, "delayed", id, "delay", dueText)
            else
                if state == "W" then
                    tail[#tail + 1] = id
                elseif state == "H" then
                    head[#head + 1] = id
                else
                    prioritized[#prioritized + 1] = id
                    priorities[#priorities + 1] = priority
                end
                emitEvent(EVENTS, "waiting", id)
            end
        end
        at = at + 1
    end
    flushChildren(parentKey)
end

if #tail > 0 then
    call("LPUSH", WAIT, unpack(tail))
end
if #head > 0 then
    call("RPUSH", WAIT, unpack(head))
end
if #prioritized > 0 then
    local counter = nextPriorityCounter(PC, #prioritized)
    local members = {}
    for i = 1, #prioritized do
        members[2 * i - 1] = prioritizedScore(tonumber(priorities[i]), counter + i - 1)
        members[2 * i] = prioritized[i]
    end
    call("ZADD", PRIORITIZED, unpack(members))
end
if not closed and #tail + #head + #prioritized > 0 then
    addBaseMarker(MARKER)
end
flushDelayed()
trimEvents(EVENTS, maxEvents)
return #instead > 1 and instead or first
