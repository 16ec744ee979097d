--- @include "includes/workKeys"
--- @include "includes/addToState"

-- Back to where they came from, before all others: the ids from place `first` on, which were taken and not started.
local function putBackTaken(ids, first)
    for i = #ids, first, -1 do
        local priority = priorityOf(base .. ids[i])
        call("LREM", activeKey, "1", ids[i])
        if priority == 0 or not tryCall("ZADD", prioritizedKey, prioritizedScore(priority, i - first), ids[i]) then
            call("RPUSH", waitKey, ids[i])
        end
    end
end
