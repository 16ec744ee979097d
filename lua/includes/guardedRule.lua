--- @include "includes/tryCall"

-- Is the rule a guarded one? Returns true or false, and whether it is over.
local function isGuarded(ruleKey)
    local guard = tryCall("HMGET", ruleKey, "sc:rev", "sc:over") or {}
    return guard[1] and true or false, guard[2] and true or false
end

-- What a guardian must know of a rule, whose data may be long: values of the fields that the arguments from `at` on name; false: it has none.
local function readRule(ruleKey, at)
    return call("HMGET", ruleKey, unpack(ARGV, at))
end
