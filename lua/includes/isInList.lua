--- @include "includes/call"

-- Is the id among the first or last `reach` (a text) of a list? Not further: a list of millions would hold the server.
local function isInList(list, id, reach)
    return call("LPOS", list, id, "MAXLEN", reach) or call("LPOS", list, id, "RANK", "-1", "MAXLEN", reach)
end
