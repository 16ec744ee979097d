-- Keeps a lease alive, or gives it up. Removes an old value, too, if it is still the same.
--
-- Input:  KEYS[1] the key
--         ARGV[1] the lease, or how the old value begins; ARGV[2] its life from now in ms; 0 gives it up
-- Output: 1 done; 0: it no longer stands there
--- @include "includes/tryCall"
if tryCall("GETRANGE", KEYS[1], "0", #ARGV[1] - 1) ~= ARGV[1] then
    return 0
end
return call("PEXPIRE", KEYS[1], ARGV[2])
