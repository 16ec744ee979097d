-- Frees a deduplication id, if it is taken and by that job.
--
-- Input:
--   KEYS  the id's key ("bull:email:de:welcome")
--   ARGV  1 the id of the job that must own it; "": any
--
-- Output: 1 freed; 0 not

--- @include "includes/tryCall"

local owner = ARGV[1]

if owner ~= "" and tryCall("GET", KEYS[1]) ~= owner then
    return 0
end
return call("DEL", KEYS[1])
