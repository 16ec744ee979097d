-- Counts a request in the window that ends now, unless it is full. Two buckets, each as long as the window: of the last
-- one the part counts that the window still covers, as if its requests had come evenly.
--
-- Input:  KEYS[1] the counter: number of the bucket; its requests; those of the bucket before
--         ARGV[1] requests a window, ARGV[2] length of a window in ms
-- Output: {1 allowed or 0 refused, requests left, ms until one more is allowed, 0: now}
--- @include "includes/serverTime"
local max, windowMs = tonumber(ARGV[1]), tonumber(ARGV[2])
local now = serverTime()
local bucket = math.floor(now / windowMs)
local elapsedMs = now - bucket * windowMs
local at, count, before = string.match(call("GET", KEYS[1]) or "", "^(%d+) (%d+) (%d+)$")
at, count, before = tonumber(at), tonumber(count), tonumber(before)
if at == bucket - 1 then
    count, before = 0, count
elseif at ~= bucket then
    count, before = 0, 0
end

-- When `more` requests fit beside `count` and what is left of `before`, in ms from the bucket's begin.
local function fitsAt(bucketCount, bucketBefore, more)
    if bucketCount + more > max then
        return nil
    end
    if bucketBefore == 0 then
        return 0
    end
    return math.ceil(windowMs * math.max(0, 1 - (max - bucketCount - more) / bucketBefore))
end
local function waitMs()
    local fits = fitsAt(count, before, 1) or windowMs + fitsAt(0, count, 1)
    return math.max(0, fits - elapsedMs)
end

local allowed = waitMs() == 0 and 1 or 0
if allowed == 1 then
    count = count + 1
    call("SET", KEYS[1], string.format("%.0f %.0f %.0f", bucket, count, before), "PX",
        string.format("%.0f", 2 * windowMs - elapsedMs))
end
local used = count + before * (1 - elapsedMs / windowMs)
return {allowed, math.max(0, math.floor(max - used)), waitMs()}
