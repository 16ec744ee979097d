--- @include "includes/readTag"
--- @include "includes/tagClock"
--- @include "includes/keepTag"

-- Whether none of the tags whose keys stand in ARGV from `first` to `last` was deleted or expired since `birth` (a number). Their keys live
-- as long as the value then, whose life is `ms`. Of a tag whose key is lost nobody knows: only the clock may tell that no tag
-- at all has changed.
local function tagsUnchanged(clockKey, birth, ms, first, last)
    local unchanged = true
    local clock = first <= last and tagClock(clockKey)
    for i = first, last do
        local deleted, expired = readTag(ARGV[i])
        if deleted then
            unchanged = unchanged and tonumber(deleted) <= birth and tonumber(expired) <= birth
        else
            unchanged = unchanged and tonumber(clock) == birth
        end
        keepTag(ARGV[i], clock, ms)
    end
    return unchanged
end
