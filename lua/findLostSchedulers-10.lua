-- Looks at job schedulers whose run is overdue, for those whose chain of jobs is broken. Changes nothing.
--
-- Input:
--   KEYS and ARGV 1 as in includes/schedulerKeys (2 and 3 empty)
--   ARGV  4  ms that a run must be overdue
--         5  how many overdue ones to pass over
--         6  how many to look at
--         7... fields of a rule
--
-- Output: {number looked at, then for each broken one: id, its run, its rule (values of the fields), "gone", "ran", "late" or, when it is guarded,
--         "due", options of the job that ran or is late, or now}
-- Those that have ended by their rule, or may have, are none.

--- @include "includes/guardedRule"
--- @include "includes/schedulerJobLoss"
--- @include "includes/serverTime"

local now, nowText = serverTime()
local since = now - tonumber(ARGV[4])
local isPaused = call("HEXISTS", metaKey, "paused") == 1
local overdue = call("ZRANGEBYSCORE", repeatKey, "-inf", since, "WITHSCORES", "LIMIT", ARGV[5], ARGV[6])
local reply = { #overdue / 2 }

local function isOver(limit, made, endDate)
    return limit and limit > 0 and made and made >= limit or endDate and endDate < now
end

local function tell(id, score, loss, more)
    for _, item in ipairs({ id, score, readRule(repeatKey .. ":" .. id, 7), loss, more }) do
        reply[#reply + 1] = item
    end
end

for i = 1, #overdue, 2 do
    local id, score = overdue[i], overdue[i + 1]
    local ruleKey = repeatKey .. ":" .. id
    local rule = call("HMGET", ruleKey, "limit", "ic", "endDate", "sc:rev", "sc:over")
    if rule[4] then
        if not rule[5] then
            tell(id, score, "due", nowText)
        end
    elseif rule[2] and not isOver(tonumber(rule[1]), tonumber(rule[2]), tonumber(rule[3])) then
        local jobId = "repeat:" .. id .. ":" .. score
        local loss = lossOf(jobId, since)
        if loss == "gone" then
            tell(id, score, loss, "")
        elseif loss == "ran" or loss == "late" and not isPaused then
            tell(id, score, loss, call("HGET", base .. jobId, "opts"))
        end
    end
end
return reply
