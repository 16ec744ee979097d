-- call: redis.call under a short name. Every other include starts with this one.
--
-- Numbers handed to call() are printed by the server with 17 digits, which is slow: hot paths pass texts.
local call = redis.call
