-- Looks at guarded job schedulers that will be due soon. Changes nothing.
--
-- Input:
--   KEYS and ARGV 1 as in includes/schedulerKeys (2 and 3 empty)
--   ARGV  4, 5  those due after the first and until the second, ms
--         6  how many to pass over
--         7  how many to look at
--         8... fields of a rule
--
-- Output: {number looked at, then of each guarded one: id, its run, its rule (values of the fields)}

--- @include "includes/guardedRule"
--- @include "includes/schedulerKeys"

local soon = call("ZRANGEBYSCORE", repeatKey, "(" .. ARGV[4], ARGV[5], "WITHSCORES", "LIMIT", ARGV[6], ARGV[7])
local reply = { #soon / 2 }
for i = 1, #soon, 2 do
    local ruleKey = repeatKey .. ":" .. soon[i]
    local guarded, over = isGuarded(ruleKey)
    if guarded and not over then
        local at = #reply
        reply[at + 1], reply[at + 2], reply[at + 3] = soon[i], soon[i + 1], readRule(ruleKey, 8)
    end
end
return reply
