-- The last runs of a schedule and how they ended, the newest first. Of a schedule without guard those whose jobs are still there.
--
-- Input:
--   KEYS and ARGV 1 to 3 as in includes/schedulerKeys
--
-- Output: of each: the run, ms; w it has not ended, d completed, f failed, g its job is gone, s skipped; finished, ms (0: not); started,
--         ms; its return value or why it failed, cut
-- Errors: -18 there is no such schedule

--- @include "includes/schedulerRuns"

local LOOK_AT = "499" -- of completed and of failed jobs each
local TEXT_MAX = 1000

local rule = call("HMGET", schedulerKey, "name", "sc:rev", "sc:runs")
if not rule[1] then
    return -18
end

local function findRuns()
    local runs, head = {}, "repeat:" .. schedulerId .. ":"
    for state, set in pairs({ d = "completed", f = "failed" }) do
        local jobs = tryCall("ZREVRANGE", base .. set, "0", LOOK_AT, "WITHSCORES") or {}
        for i = 1, #jobs, 2 do
            local ms = string.sub(jobs[i], 1, #head) == head and string.match(string.sub(jobs[i], #head + 1), "^%d+$")
            if ms then
                runs[#runs + 1] = { ms, state, jobs[i + 1] }
            end
        end
    end
    table.sort(runs, function(a, b) return tonumber(a[1]) > tonumber(b[1]) end)
    return runs
end

local runs = rule[2] and readRuns(rule[3]) or findRuns()
local reply = {}
for i = 1, math.min(#runs, RUNS_MAX) do
    local job = tryCall("HMGET", base .. jobIdAt(runs[i][1]), "processedOn", "returnvalue", "failedReason") or {}
    local text = runs[i][2] == "f" and job[3] or runs[i][2] == "d" and job[2] or ""
    local at = #reply
    reply[at + 1], reply[at + 2], reply[at + 3], reply[at + 4] = runs[i][1], runs[i][2], runs[i][3], job[1] or "0"
    reply[at + 5] = string.sub(text, 1, TEXT_MAX)
end
return reply
