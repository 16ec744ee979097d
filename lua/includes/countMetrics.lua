--- @include "includes/tryCall"

-- Values of one LPUSH at most.
local POINTS_MAX = 7000

-- Puts `delta`, then `zeros` times 0, before a list.
local function pushPoints(dataKey, delta, zeros)
    call("LPUSH", dataKey, string.format("%.0f", delta))
    while zeros > 0 do
        local some, points = math.min(zeros, POINTS_MAX), {}
        for i = 1, some do
            points[i] = "0"
        end
        call("LPUSH", dataKey, unpack(points))
        zeros = zeros - some
    end
end

-- Counts `n` jobs that ended now, as BullMQ counts them one by one: the total in a hash and, with the first end after a
-- full minute, what came since the last such one in a list of at most `points` minutes, the newest first.
local function countMetrics(metricsKey, n, points, nowMs, now)
    local total = call("HINCRBY", metricsKey, "count", n)
    local before = call("HMGET", metricsKey, "prevTS", "prevCount")
    local since = tonumber(before[1])
    if not since then
        call("HSET", metricsKey, "prevTS", now, "prevCount", "0")
        return
    end
    local minutes = math.min(math.floor(nowMs / 60000) - math.floor(since / 60000), points)
    if minutes <= 0 then
        return
    end
    local dataKey, count = metricsKey .. ":data", total - n
    pushPoints(dataKey, count - (tonumber(before[2]) or 0), minutes - 1)
    call("LTRIM", dataKey, "0", string.format("%.0f", points - 1))
    call("HSET", metricsKey, "prevCount", string.format("%.0f", count), "prevTS", now)
end
