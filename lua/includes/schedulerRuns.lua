--- @include "includes/schedulerKeys"
--- @include "includes/tryCall"

-- The last runs of a guarded schedule stand in the field sc:runs of its rule, the newest first: "ms:state:finishedOn" each. States: w
-- it has not ended, d completed, f failed, g its job is gone, s skipped, for the run before was not over.
local RUNS_MAX = 20

-- Deduplication id of a schedule whose runs must not overlap.
local function overlapId()
    return "repeat:" .. schedulerId
end

local function stateOfRun(ms)
    local id = jobIdAt(ms)
    local job = tryCall("HMGET", base .. id, "name", "finishedOn") or {}
    if not job[1] then
        return tryCall("HGET", base .. "dn:" .. overlapId(), "jid") == id and "w" or "g", "0"
    elseif not job[2] then
        return "w", "0"
    end
    return tryCall("ZSCORE", base .. "failed", id) and "f" or "d", job[2]
end

-- A list of {ms, state, finishedOn}, as they are now.
local function readRuns(text)
    local runs = {}
    for ms, state, finishedOn in string.gmatch(text or "", "(%d+):(%a):(%d+)") do
        if state == "w" then
            state, finishedOn = stateOfRun(ms)
        end
        runs[#runs + 1] = { ms, state, finishedOn }
    end
    return runs
end

-- The text with one run more, and with what became of those that had not ended.
local function addRun(text, ms, state, finishedOn)
    local run = ms .. ":" .. state .. ":" .. finishedOn
    if not text or text == "" then
        return run
    end
    local runs, count = string.gsub(text, "%d+:%a:%d+", function(old)
        local oldMs = string.match(old, "^(%d+):w:")
        return oldMs and table.concat({ oldMs, stateOfRun(oldMs) }, ":")
    end)
    return run .. " " .. (count < RUNS_MAX and runs or string.match(runs, "^(.*) "))
end
