-- Counts a request in its window, unless the window is full.
--
-- Input:  KEYS[1] the counter
--         ARGV[1] requests a window, ARGV[2] length of a window in ms
-- Output: {1 allowed or 0 refused, requests left, ms until the window ends}
local max = tonumber(ARGV[1])
local used = tonumber(redis.call('GET', KEYS[1]) or '0') or 0
local left_ms = redis.call('PTTL', KEYS[1])
if left_ms <= 0 then
  redis.call('SET', KEYS[1], 1, 'PX', ARGV[2])
  return {1, max - 1, tonumber(ARGV[2])}
end
if used >= max then
  return {0, 0, left_ms}
end
return {1, max - redis.call('INCR', KEYS[1]), left_ms}
