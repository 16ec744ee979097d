--- @include "includes/tryCall"

-- The clock of a tag's last delete and of its last expiry, as texts; nil when its key is lost. What else lies there goes.
local function readTag(tagKey)
    local deleted, expired = string.match(tryCall("GET", tagKey) or "", "^(%d+) (%d+)$")
    if not deleted then
        call("UNLINK", tagKey)
    end
    return deleted, expired
end
