-- The next run of a scheduler that repeats every so many ms, as BullMQ has it. All numbers; `prev` (the run before), `offset`
-- and `startDate` may be nil. Returns the run, and its offset within the slots of `every`.
local function everyNext(prev, every, now, offset, startDate)
    local function slotAfterNow()
        local slot = math.floor(now / every) * every + offset
        return slot <= now and slot + every or slot
    end
    local next
    offset = offset or 0
    if prev then
        next = prev + every
        if next < now then
            next = slotAfterNow() -- runs were missed: they are skipped, and the phase is kept
        end
    elseif startDate then
        next = math.max(startDate, now)
    elseif offset > 0 then
        next = slotAfterNow()
    else
        next = now
    end
    next = math.floor(next)
    if offset == 0 then
        offset = next - math.floor(next / every) * every
    end
    return next, offset
end
