--- @include "includes/call"

-- Makes a tag's key outlive a value that has the tag. One that is not there is made, as if the tag had been deleted at `clock`.
-- `ms`: the value's life, "" for no end. Keys live twice as long as they must, so that they are seldom touched.
local function keepTag(tagKey, clock, ms)
    local left = call("PTTL", tagKey)
    if left == -2 then
        if ms == "" then
            call("SET", tagKey, clock .. " 0")
        else
            call("SET", tagKey, clock .. " 0", "PX", string.format("%.0f", 2 * ms))
        end
    elseif left >= 0 and ms == "" then
        call("PERSIST", tagKey)
    elseif left >= 0 and left < tonumber(ms) then
        call("PEXPIRE", tagKey, string.format("%.0f", 2 * ms))
    end
end
