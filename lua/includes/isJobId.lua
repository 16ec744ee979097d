-- What a queue itself is stored under.
local ownKeys

-- May it be the id of a job? Not when it names a key of the queue ("wait"), or something beside one ("de:x", "7:logs"): what
-- another client put such an id into is not to be run, and above all not to be deleted.
local function isJobId(id)
    local colon = string.find(id, ":", 1, true)
    if colon then
        return string.find(id, ":", colon + 1, true) and id ~= "metrics:completed:data" and id ~= "metrics:failed:data"
    end
    local first = string.byte(id) or 0
    if first >= 48 and first <= 57 then
        return true
    end
    ownKeys = ownKeys or {
        [""] = true, id = true, wait = true, paused = true, active = true, prioritized = true, delayed = true, completed = true,
        failed = true, ["waiting-children"] = true, marker = true, events = true, meta = true, pc = true, stalled = true,
        ["stalled-check"] = true, limiter = true, ["repeat"] = true, delay = true, priority = true,
    }
    return not ownKeys[id]
end
