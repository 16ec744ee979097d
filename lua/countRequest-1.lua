-- Counts a request in its window, unless the window is full.
--
-- Input:  KEYS[1] the counter
--         ARGV[1] requests a window, ARGV[2] length of a window in ms
-- Output: {1 allowed or 0 refused, requests left, ms until the window ends}
--- @include "includes/call"
local max = tonumber(ARGV[1])
local used = tonumber(call("GET", KEYS[1]) or "0") or 0
local leftMs = call("PTTL", KEYS[1])
if leftMs <= 0 then
    call("SET", KEYS[1], "1", "PX", ARGV[2])
    return {1, max - 1, tonumber(ARGV[2])}
end
if used >= max then
    return {0, 0, leftMs}
end
return {1, max - call("INCR", KEYS[1]), leftMs}
