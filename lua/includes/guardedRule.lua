--- @include "includes/call"

-- What a guardian must know of a rule, whose data may be long: values of the fields that the arguments from `at` on name; false: it has none.
local function readRule(ruleKey, at)
    return call("HMGET", ruleKey, unpack(ARGV, at))
end
