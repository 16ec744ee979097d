--- @include "includes/call"

-- The server's date in ms, as a number and as a text. A worker's own clock may be wrong; this one is one for all.
local function serverTime()
    local time = call("TIME")
    local ms = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
    return ms, string.format("%.0f", ms)
end
