-- A retention as stored in a job's options ("removeOnFail") as keepFinished() takes it: "0::" keeps none, "" all.
local function keepOf(optsJson, member)
    local known, opts = pcall(cjson.decode, optsJson or "")
    local keep = known and type(opts) == "table" and opts[member]
    if keep == true or keep == 0 then
        return "0::"
    elseif type(keep) == "number" then
        return keep > 0 and string.format("%.0f::", keep) or ""
    elseif type(keep) ~= "table" then
        return ""
    end
    local function bound(name)
        local value = tonumber(keep[name])
        return value and value >= 0 and string.format("%.0f", value) or ""
    end
    return bound("count") .. ":" .. bound("age") .. ":" .. bound("limit")
end
