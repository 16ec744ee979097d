#include <storychain/scheduler.h>

#include <storychain/cron.h>

#include "base/error.h"
#include "base/iso8601.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/utf8.h"
#include "loop/loop.h"
#include "ops/job_limits.h"
#include "ops/job_opts.h"
#include "ops/op_scheduler.h"
#include "ops/queue_handle.h"
#include "redis/client.h"

enum {
    ID_BYTES_MAX = 512,
    NAME_BYTES_MAX = 4096,
    DATA_BYTES_MAX = 1024 * 1024, /* it is stored with the rule and copied into every job */
    OPTS_BYTES_MAX = 64 * 1024,
    LIST_MAX = 1000
};

static const int64_t date_max_ms = 253402300799999; /* the end of the year 9999 */

static sc_err check_id(sc_slice id, sc_reason *ret_reason)
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
    if (!by_pattern && repeat->immediately)
        return sc__because(ret_reason, SC_EINVAL,
                           "`immediately` belongs to a pattern: `every` begins at once anyway");
    return SC_OK;
}

static sc_err check_repeat(const sc_repeat *repeat, sc_reason *ret_reason)
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

static sc_err check_spec(const sc_job_spec *spec, sc_reason *ret_reason)
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

static sc_err parse_pattern(sc_slice id, sc_slice pattern, sc_cron **ret_cron,
                            sc_reason *ret_reason)
{
    const sc_cron_opts opts = {.hash_seed = id};
    sc_cron_error error = {.text = ""};
    sc_err err = sc_cron_parse(pattern, &opts, ret_cron, &error);

    return err ? sc__because(ret_reason, err, "%s", *error.text ? error.text : sc_err_text(err))
               : SC_OK;
}

static sc_err first_by_cron(sc_slice id, const sc_repeat *repeat, int64_t after_ms,
                            int64_t *ret_next_ms, sc_reason *ret_reason)
{
    sc_cron *cron = NULL;
    sc_zone *zone = NULL;
    sc_err err = parse_pattern(id, repeat->pattern, &cron, ret_reason);

    if (!err)
        err = sc_zone_open(repeat->tz, &zone, ret_reason);
    if (!err && sc_cron_next(cron, zone, after_ms, ret_next_ms))
        err = sc__because(ret_reason, SC_EINVAL, "the pattern has no time before the year 2200");
    sc_zone_close(zone);
    sc_cron_free(cron);
    return err;
}

/* The pattern's first run after now, or after the start date. */
static sc_err first_run(const sc_queue *queue, sc_slice id, const sc_repeat *repeat, int64_t now_ms,
                        int64_t *ret_next_ms, sc_reason *ret_reason)
{
    int64_t after_ms = repeat->start_ms > now_ms ? repeat->start_ms : now_ms, next_ms = 0;
    char end[SC__ISO8601_LEN + 1];
    sc_err err = sc__strategy_next(sc__queue_repeat_strategy(queue), id, repeat->pattern,
                                   repeat->tz, after_ms, &next_ms, ret_reason);

    if (err == SC_ENOTFOUND)
        return sc__because(ret_reason, SC_EINVAL, "the pattern has no time any more");
    if (err == SC_ESYNTAX)
        err = first_by_cron(id, repeat, after_ms, &next_ms, ret_reason);
    if (err)
        return err;
    if (repeat->end_ms && next_ms > repeat->end_ms && !repeat->immediately) {
        sc__iso8601_text(repeat->end_ms, false, end);
        return sc__because(ret_reason, SC_EINVAL, "the pattern has no time before its end date, %s",
                           end);
    }
    *ret_next_ms = next_ms;
    return SC_OK;
}

static sc_err check_against_now(const sc_queue *queue, sc__scheduler_rule *rule,
                                sc_reason *ret_reason)
{
    const sc_repeat *repeat = rule->repeat;
    int64_t now_ms = 0;
    sc_err err;

    if (!repeat->pattern.len && !repeat->end_ms)
        return SC_OK;
    err = sc__op_server_time(sc__queue_client(queue), &now_ms, ret_reason);
    if (err)
        return err;
    if (repeat->end_ms && repeat->end_ms < now_ms)
        return sc__because(ret_reason, SC_EINVAL, "the end date has passed already");
    if (repeat->pattern.len)
        return first_run(queue, rule->id, repeat, now_ms, &rule->next_ms, ret_reason);
    return SC_OK;
}

static bool may_not_wait(const sc_queue *queue)
{
    return sc__loop_is_current(sc__client_loop(sc__queue_client(queue)));
}

sc_err sc_scheduler_upsert(sc_queue *queue, sc_slice scheduler_id, const sc_repeat *repeat,
                           const sc_job_spec *spec, char **ret_id, int64_t *ret_next_ms,
                           sc_reason *ret_reason)
{
    AUTO_STR opts = STR_MAX(OPTS_BYTES_MAX);
    sc__scheduler_rule rule = {.id = scheduler_id, .repeat = repeat, .name = spec->name};
    sc_err err;

    if (may_not_wait(queue))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    err = check_id(scheduler_id, ret_reason);
    if (!err)
        err = check_repeat(repeat, ret_reason);
    if (!err)
        err = check_spec(spec, ret_reason);
    if (err)
        return err;
    rule.data = spec->data.len ? spec->data : SC_S("{}");
    rule.opts = sc__queue_default_opts(queue);
    if (spec->opts) {
        sc__job_opts_write(&opts, spec->opts);
        if (opts.err)
            return sc__because(ret_reason, opts.err, "the jobs' options are too large");
        rule.opts = sc__str_slice(&opts);
    }
    err = check_against_now(queue, &rule, ret_reason);
    if (err)
        return err;
    if (spec->opts && sc__job_limits_any(spec->opts))
        sc__queue_mark_extensions(queue);
    return sc__op_scheduler_upsert(sc__queue_client(queue), sc__queue_names(queue), &rule, ret_id,
                                   ret_next_ms, ret_reason);
}

sc_err sc_scheduler_remove(sc_queue *queue, sc_slice scheduler_id)
{
    if (may_not_wait(queue))
        return SC_EDEADLK;
    return sc__op_scheduler_remove(sc__queue_client(queue), sc__queue_names(queue), scheduler_id,
                                   NULL);
}

/* The list as it is handed out, and what holds its texts. */
struct list {
    sc_scheduler_list list;
    sc__arena arena;
    sc_scheduler_info items[];
};

/* Positions may count from the end (-1: the last); the list has at most LIST_MAX. */
static void clip(int64_t *start, int64_t *end)
{
    if (*start < 0)
        *start = 0;
    if (*end < 0 || *end - *start >= LIST_MAX)
        *end = *start + LIST_MAX - 1;
}

sc_err sc_scheduler_list_get(sc_queue *queue, int64_t start, int64_t end,
                             sc_scheduler_list **ret_list)
{
    struct list *l;
    sc_err err;

    if (may_not_wait(queue))
        return SC_EDEADLK;
    if (start > INT64_MAX - LIST_MAX)
        return SC_EINVAL;
    clip(&start, &end);
    if (end < start)
        end = start - 1;
    l = sc__calloc(1, sizeof(*l) + (size_t)(end - start + 1) * sizeof(*l->items));
    if (!l)
        return SC_ENOMEM;
    sc__arena_init(&l->arena, SIZE_MAX / 4);
    l->list.items = l->items;
    err = sc__op_scheduler_list(sc__queue_client(queue), sc__queue_names(queue), start, end,
                                &l->arena, l->items, &l->list.count, NULL);
    if (err) {
        sc_scheduler_list_free(&l->list);
        return err;
    }
    *ret_list = &l->list;
    return SC_OK;
}

void sc_scheduler_list_free(sc_scheduler_list *list)
{
    struct list *l = (struct list *)list;

    if (!l)
        return;
    sc__arena_release(&l->arena);
    sc_free(l);
}
