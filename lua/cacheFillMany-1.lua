-- Stores loaded values where the lease that their load began with still stands, as cacheFill does.
--
-- Input:  KEYS[1] the tag clock
--         ARGV[1] the lease, empty: values are stored where nothing lies; ARGV[2] the tag clock before the load
--         ARGV[3…] per value: key, value, life in ms (empty: no end; 0: the lease is given up), number of tags, their keys
-- Output: how many were stored; the others' keys were deleted, set or leased anew since, or a tag has changed, and their
--         leases are given up
-- Errors: that of the first SET which is refused (OOM, READONLY); leases are given up then
--- @include "includes/tagsUnchanged"
local lease, birth = ARGV[1], tonumber(ARGV[2])
local stored, refused = 0, nil
local function stands(key)
    if lease == "" then
        return call("EXISTS", key) == 0
    end
    return tryCall("GETRANGE", key, "0", #lease - 1) == lease
end
local function set(key, value, ms, first, last)
    if ms == "0" or refused or not tagsUnchanged(KEYS[1], birth, ms, first, last) then
        return false
    end
    local done = ms == "" and redis.pcall("SET", key, value) or redis.pcall("SET", key, value, "PX", ms)
    refused = done.err and done
    return not refused
end
local i = 3
while i <= #ARGV do
    local key, tags = ARGV[i], tonumber(ARGV[i + 3])
    if stands(key) then
        if set(key, ARGV[i + 1], ARGV[i + 2], i + 4, i + 3 + tags) then
            stored = stored + 1
        elseif lease ~= "" then
            tryCall("UNLINK", key)
        end
    end
    i = i + 4 + tags
end
return refused or stored
