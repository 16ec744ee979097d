-- Deletes keys and counts those that held something. A lease goes too, but is no value.
--
-- Input:  KEYS[1] a key
--         ARGV[1] how a lease begins
--         ARGV[2…] more keys
-- Output: how many of the keys held a value
local function del(key)
  local head = redis.pcall('GETRANGE', key, 0, #ARGV[1] - 1)
  local gone = redis.call('UNLINK', key)
  return head == ARGV[1] and 0 or gone
end
local removed = del(KEYS[1])
for i = 2, #ARGV do
  removed = removed + del(ARGV[i])
end
return removed
