/* Is what an upsert is given a schedule at all? */
#include "repeat_check.h"

#include "base/error.h"
#include "base/json_scan.h"
#include "base/utf8.h"
#include "ops/job_opts.h"
#include "ops/scheduler_times.h"

enum {
    ID_BYTES_MAX = 512,
    NAME_BYTES_MAX = 4096,
    DATA_BYTES_MAX = 1024 * 1024, /* it is stored with the rule and copied into every job */
    EXCLUDE_BYTES_MAX = 1024,
    JITTER_MAX_MS = 24 * 3600 * 1000
};

static const int64_t date_max_ms = 253402300799999; /* the end of the year 9999 */

sc_err sc__scheduler_id_check(sc_slice id, sc_reason *ret_reason)
{
    if (!id.len || id.len > ID_BYTES_MAX)
        return sc__because(ret_reason, SC_EINVAL,
                           "the scheduler's id has %zu bytes; it must have 1 to %d", id.len,
                           ID_BYTES_MAX);
    if (!sc__utf8_valid(id, NULL))
        return sc__because(ret_reason, SC_EINVAL, "the scheduler's id is not UTF-8");
    for (size_t i = 0; i < id.len; i++)
        if ((unsigned char)id.ptr[i] < 0x20)
            return sc__because(ret_reason, SC_EINVAL,
                               "the scheduler's id has the control byte 0x%02x at %zu",
                               (unsigned)(unsigned char)id.ptr[i], i);
    return SC_OK;
}

static sc_err check_kind(const sc_repeat *repeat, sc_reason *ret_reason)
{
    bool by_pattern = repeat->pattern.len > 0;

    if (by_pattern && repeat->every_ms)
        return sc__because(ret_reason, SC_EINVAL, "give a pattern or `every`, not both");
    if (!by_pattern && repeat->every_ms <= 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "give a pattern (a cron expression) or `every` (ms, 1 or more)");
    if (by_pattern && repeat->offset_ms > 0)
        return sc__because(ret_reason, SC_EINVAL, "an offset belongs to `every`, not to a pattern");
    if (!by_pattern && repeat->tz.len)
        return sc__because(ret_reason, SC_EINVAL,
                           "a time zone belongs to a pattern: `every` counts elapsed time");
    if (!by_pattern && repeat->start_inclusive)
        return sc__because(ret_reason, SC_EINVAL,
                           "an inclusive start belongs to a pattern: `every` begins at its start");
    if (!by_pattern && repeat->immediately)
        return sc__because(ret_reason, SC_EINVAL,
                           "`immediately` belongs to a pattern: `every` begins at once anyway");
    return SC_OK;
}

static sc_err check_dates(const sc_repeat *repeat, sc_reason *ret_reason)
{
    sc_err err = check_kind(repeat, ret_reason);

    if (err)
        return err;
    if (repeat->every_ms > date_max_ms || repeat->start_ms > date_max_ms ||
        repeat->end_ms > date_max_ms || repeat->start_ms < 0 || repeat->end_ms < 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "a date or interval is out of range (1970 to the year 9999)");
    if (!repeat->pattern.len && repeat->offset_ms >= repeat->every_ms)
        return sc__because(ret_reason, SC_EINVAL,
                           "the offset of %lld ms does not lie within `every`, which is %lld ms",
                           (long long)repeat->offset_ms, (long long)repeat->every_ms);
    if (repeat->limit < 0)
        return sc__because(ret_reason, SC_EINVAL, "the limit is negative");
    if (repeat->immediately && repeat->start_ms)
        return sc__because(ret_reason, SC_EINVAL, "give `immediately` or a start date, not both");
    if (repeat->start_ms && repeat->end_ms && repeat->end_ms < repeat->start_ms)
        return sc__because(ret_reason, SC_EINVAL, "the end date comes before the start date");
    return SC_OK;
}

static sc_err check_exclude(sc_slice exclude, sc_reason *ret_reason)
{
    sc_cron_exclusions *exclusions = NULL;
    sc_err err;

    if (exclude.len > EXCLUDE_BYTES_MAX)
        return sc__because(ret_reason, SC_ETOOBIG, "the exclusions have %zu bytes; the limit is %d",
                           exclude.len, EXCLUDE_BYTES_MAX);
    err = sc__exclusions_read(exclude, &exclusions, ret_reason);
    sc_cron_exclusions_free(exclusions);
    return err;
}

static sc_err check_policies(const sc_repeat *repeat, sc_reason *ret_reason)
{
    if ((unsigned)repeat->overlap > SC_OVERLAP_BUFFER_ALL ||
        (unsigned)repeat->catchup > SC_CATCHUP_ALL || (unsigned)repeat->dst > SC_CRON_DST_BULLMQ)
        return sc__because(ret_reason, SC_EINVAL, "there is no such policy");
    if (repeat->dst && !repeat->pattern.len)
        return sc__because(ret_reason, SC_EINVAL,
                           "changes of clocks concern a pattern: `every` counts elapsed time");
    if (repeat->jitter_ms < 0 || repeat->jitter_ms > JITTER_MAX_MS)
        return sc__because(ret_reason, SC_EINVAL, "the jitter must be 0 to a day");
    if (repeat->catchup_window_ms < 0)
        return sc__because(ret_reason, SC_EINVAL, "the window of catching up is negative");
    if (repeat->catchup_window_ms && repeat->catchup != SC_CATCHUP_ONE &&
        repeat->catchup != SC_CATCHUP_ALL)
        return sc__because(ret_reason, SC_EINVAL,
                           "a window belongs to catching up with one run, or with all");
    return SC_OK;
}

sc_err sc__repeat_check(const sc_repeat *repeat, sc_reason *ret_reason)
{
    sc_err err = check_dates(repeat, ret_reason);

    if (!err)
        err = check_policies(repeat, ret_reason);
    return err ? err : check_exclude(repeat->exclude, ret_reason);
}

sc_err sc__scheduler_spec_check(const sc_job_spec *spec, sc_reason *ret_reason)
{
    sc_reason why;

    if (!spec->name.len || spec->name.len > NAME_BYTES_MAX || !sc__utf8_valid(spec->name, NULL))
        return sc__because(ret_reason, SC_EINVAL,
                           "the name of the scheduler's jobs must be UTF-8 of 1 to %d bytes",
                           NAME_BYTES_MAX);
    if (spec->data.len > DATA_BYTES_MAX)
        return sc__because(ret_reason, SC_ETOOBIG,
                           "the data of the scheduler's jobs has %zu bytes; the limit is %d",
                           spec->data.len, DATA_BYTES_MAX);
    if (spec->data.len && sc__json_check(spec->data, &why))
        return sc__because(ret_reason, SC_EINVAL, "the data of the scheduler's jobs is %s",
                           why.text);
    if (!spec->opts)
        return SC_OK;
    if (spec->opts->id.len || spec->opts->delay_ms || spec->opts->timestamp_ms)
        return sc__because(ret_reason, SC_EINVAL,
                           "ids, delays and dates of a scheduler's jobs are the scheduler's own");
    if (spec->opts->dedup.id.len)
        return sc__because(ret_reason, SC_EINVAL,
                           "a scheduler's jobs cannot be deduplicated: there is one for each slot");
    if (spec->opts->parent.id.len || spec->opts->parent.queue.len)
        return sc__because(
            ret_reason, SC_EINVAL,
            "a scheduler's jobs cannot have a parent: it would wait for the first one alone");
    return sc__job_opts_check(spec->opts, ret_reason);
}
