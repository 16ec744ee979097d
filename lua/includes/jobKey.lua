-- Splits a job's full key ("bull:email:12"): its id is what follows the last ':', the rest is its queue's base.
local function splitJobKey(jobKey)
    local base, id = string.match(jobKey, "^(.*:)(.*)$")
    return base or "", id or jobKey
end
