-- Looks at job schedulers whose run is overdue, for those whose chain of jobs is broken. Changes nothing.
--
-- Input:
--   KEYS and ARGV 1 as in includes/schedulerKeys (2 and 3 empty)
--   ARGV  4  ms that a run must be overdue
--         5  how many overdue ones to pass over
--         6  how many to look at
--
-- Output: {number looked at, then for each broken one: id, its run, its rule (flat hash), "gone" or "ran", options of the job that ran}
-- Those that have ended by their rule, or may have, are none.

--- @include "includes/schedulerJobLoss"
--- @include "includes/serverTime"

local now = serverTime()
local since = now - tonumber(ARGV[4])
local overdue = call("ZRANGEBYSCORE", repeatKey, "-inf", since, "WITHSCORES", "LIMIT", ARGV[5], ARGV[6])
local reply = { #overdue / 2 }

local function isOver(limit, made, endDate)
    return limit and limit > 0 and made and made >= limit or endDate and endDate < now
end

for i = 1, #overdue, 2 do
    local id, score = overdue[i], overdue[i + 1]
    local ruleKey = repeatKey .. ":" .. id
    local rule = call("HMGET", ruleKey, "limit", "ic", "endDate")
    if rule[2] and not isOver(tonumber(rule[1]), tonumber(rule[2]), tonumber(rule[3])) then
        local jobId = "repeat:" .. id .. ":" .. score
        local loss = lossOf(jobId, since)
        if loss then
            reply[#reply + 1] = id
            reply[#reply + 1] = score
            reply[#reply + 1] = call("HGETALL", ruleKey)
            reply[#reply + 1] = loss
            reply[#reply + 1] = loss == "ran" and call("HGET", base .. jobId, "opts") or ""
        end
    end
end
return reply
