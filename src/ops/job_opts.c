#include "job_opts.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/json_scan.h"
#include "job_limits.h"
#include "job_parent.h"
#include "keys.h"

enum { ID_MAX_BYTES = 4096 };

#define DEDUP_TTL_MAX INT64_C(10000000000000) /* 300 years; the server refuses dates too far away */

static bool all_digits(sc_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return false;
    return s.len > 0;
}

static size_t count_of(sc_slice s, char c)
{
    size_t n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += s.ptr[i] == c;
    return n;
}

/* A job with such an id would be stored in the place of what the queue itself consists of. */
static bool is_queue_key(sc_slice id)
{
    static const char *const names[] = {
#define X(name, suffix, type, content) suffix,
        SC_QUEUE_KEYS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (sc_slice_eq(id, sc_slice_of(names[i])))
            return true;
    return false;
}

static sc_err check_id(sc_slice id, sc_reason *ret_reason)
{
    int shown = id.len < 64 ? (int)id.len : 64;

    if (id.len > ID_MAX_BYTES)
        return sc__because(ret_reason, SC_EINVAL, "the job id has %zu bytes; the limit is %d",
                           id.len, ID_MAX_BYTES);
    if (all_digits(id))
        return sc__because(ret_reason, SC_EINVAL,
                           "the job id \"%.*s\" is a number; those are the queue's own", shown,
                           id.ptr);
    if (id.len >= 2 && memcmp(id.ptr, "0:", 2) == 0)
        return sc__because(ret_reason, SC_EINVAL, "the job id \"%.*s\" starts with \"0:\"", shown,
                           id.ptr);
    if (is_queue_key(id))
        return sc__because(ret_reason, SC_EINVAL,
                           "the job id \"%.*s\" is the name of a key of the queue", shown, id.ptr);
    /* Two are allowed because the jobs of a scheduler have them: repeat:<id>:<ms>. */
    if (count_of(id, ':') && count_of(id, ':') != 2)
        return sc__because(ret_reason, SC_EINVAL,
                           "the job id \"%.*s\" has a ':', which separates the parts of a key",
                           shown, id.ptr);
    return SC_OK;
}

static sc_err check_backoff(const sc_backoff *backoff, sc_reason *ret_reason)
{
    if (backoff->delay_ms < 0)
        return sc__because(ret_reason, SC_EINVAL, "the backoff's delay is negative");
    if (!(backoff->jitter >= 0 && backoff->jitter <= 1))
        return sc__because(ret_reason, SC_EINVAL, "the backoff's jitter must be from 0 to 1");
    if (backoff->kind == SC_BACKOFF_CUSTOM && !backoff->custom.len)
        return sc__because(ret_reason, SC_EINVAL, "a custom backoff needs its strategy's name");
    return SC_OK;
}

static sc_err check_extra(sc_slice extra, sc_reason *ret_reason)
{
    sc__json_value value;
    sc_reason why;

    if (!extra.len)
        return SC_OK;
    if (sc__json_scan(extra, &value, &why))
        return sc__because(ret_reason, SC_EINVAL, "the extra options: %s", why.text);
    if (value.kind != SC__JSON_OBJECT)
        return sc__because(ret_reason, SC_EINVAL, "the extra options must be a JSON object");
    return SC_OK;
}

static sc_err check_dedup(const sc_dedup *dedup, sc_reason *ret_reason)
{
    bool any = dedup->ttl_ms || dedup->extend || dedup->replace || dedup->reschedule ||
               dedup->keep_last_if_active;

    if (!dedup->id.len && any)
        return sc__because(ret_reason, SC_EINVAL, "the deduplication has no id");
    if (dedup->id.len > ID_MAX_BYTES)
        return sc__because(ret_reason, SC_EINVAL,
                           "the deduplication id has %zu bytes; the limit is %d", dedup->id.len,
                           ID_MAX_BYTES);
    if (dedup->ttl_ms < 0 || dedup->ttl_ms > DEDUP_TTL_MAX)
        return sc__because(ret_reason, SC_EINVAL,
                           "the deduplication's ttl is %lld ms; it must be from 0 to %lld",
                           (long long)dedup->ttl_ms, (long long)DEDUP_TTL_MAX);
    return SC_OK;
}

sc_err sc__job_opts_check(const sc_job_opts *opts, sc_reason *ret_reason)
{
    sc_err err;

    if (opts->priority < 0 || opts->priority > SC__PRIORITY_MAX)
        return sc__because(ret_reason, SC_EINVAL, "the priority is %lld; it must be from 0 to %d",
                           (long long)opts->priority, SC__PRIORITY_MAX);
    if (opts->delay_ms < 0 || opts->attempts < 0 || opts->timestamp_ms < 0 || opts->keep_logs < 0 ||
        opts->stack_trace_limit < -1 || opts->size_limit < 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "delay, attempts, timestamp and limits must not be negative");
    err = check_id(opts->id, ret_reason);
    if (!err)
        err = check_backoff(&opts->backoff, ret_reason);
    if (!err)
        err = check_dedup(&opts->dedup, ret_reason);
    if (!err)
        err = sc__parent_check(opts, ret_reason);
    if (!err)
        err = check_extra(opts->extra, ret_reason);
    if (!err)
        err = sc__job_limits_check(opts, ret_reason);
    return err;
}

static void write_int(sc__str *out, const char *name, int64_t value)
{
    sc__str_text(out, name);
    sc__str_int(out, value);
}

/* The shortest digits that read back as the same number; a '.' whatever the locale. */
static void write_double(sc__str *out, double value)
{
    char text[40];

    for (int precision = 6; precision <= 17; precision++) {
        snprintf(text, sizeof(text), "%.*g", precision, value);
        if (strtod(text, NULL) == value)
            break;
    }
    for (char *p = text; *p; p++)
        if (*p == ',')
            *p = '.';
    sc__str_text(out, text);
}

static void write_backoff(sc__str *out, const sc_backoff *backoff)
{
    if (backoff->kind == SC_BACKOFF_NONE)
        return;
    sc__str_text(out, ",\"backoff\":{\"type\":");
    if (backoff->kind == SC_BACKOFF_CUSTOM)
        sc__str_json(out, backoff->custom);
    else
        sc__str_text(out, backoff->kind == SC_BACKOFF_FIXED ? "\"fixed\"" : "\"exponential\"");
    write_int(out, ",\"delay\":", backoff->delay_ms);
    if (backoff->jitter > 0) {
        sc__str_text(out, ",\"jitter\":");
        write_double(out, backoff->jitter);
    }
    sc__str_char(out, '}');
}

static void write_keep_some(sc__str *out, const sc_keep *keep)
{
    char separator = '{';

    if (keep->age_s >= 0) {
        sc__str_char(out, separator);
        write_int(out, "\"age\":", keep->age_s);
        separator = ',';
    }
    if (keep->count >= 0) {
        sc__str_char(out, separator);
        write_int(out, "\"count\":", keep->count);
        separator = ',';
    }
    if (keep->limit > 0) {
        sc__str_char(out, separator);
        write_int(out, "\"limit\":", keep->limit);
        separator = ',';
    }
    sc__str_text(out, separator == ',' ? "}" : "false");
}

static void write_keep(sc__str *out, const char *name, const sc_keep *keep)
{
    if (keep->kind == SC_KEEP_DEFAULT)
        return;
    sc__str_text(out, name);
    if (keep->kind == SC_KEEP_SOME)
        write_keep_some(out, keep);
    else
        sc__str_text(out, keep->kind == SC_KEEP_NONE ? "true" : "false");
}

static void write_flag(sc__str *out, const char *member, bool value)
{
    if (value)
        sc__str_text(out, member);
}

static void write_dedup(sc__str *out, const sc_dedup *dedup)
{
    if (!dedup->id.len)
        return;
    sc__str_text(out, ",\"de\":{\"id\":");
    sc__str_json(out, dedup->id);
    if (dedup->ttl_ms)
        write_int(out, ",\"ttl\":", dedup->ttl_ms);
    write_flag(out, ",\"extend\":true", dedup->extend);
    write_flag(out, ",\"replace\":true", dedup->replace);
    write_flag(out, ",\"reschedule\":true", dedup->reschedule);
    write_flag(out, ",\"keepLastIfActive\":true", dedup->keep_last_if_active);
    sc__str_char(out, '}');
}

/* The members of a JSON object, without its braces, after a ','. */
static void write_members(sc__str *out, sc_slice object)
{
    sc__json_value value, member;
    sc_slice key;
    size_t at = 0;

    if (!object.len || sc__json_scan(object, &value, NULL) ||
        !sc__json_next(value, &at, &key, &member))
        return;
    sc__str_char(out, ',');
    sc__str_append(out, (sc_slice){value.text.ptr + 1, value.text.len - 2});
}

static void inherit(int64_t *value, int64_t otherwise)
{
    if (!*value)
        *value = otherwise;
}

void sc__job_opts_merge(sc_job_opts *opts, const sc_job_opts *defaults)
{
    inherit(&opts->delay_ms, defaults->delay_ms);
    inherit(&opts->priority, defaults->priority);
    inherit(&opts->attempts, defaults->attempts);
    inherit(&opts->keep_logs, defaults->keep_logs);
    inherit(&opts->stack_trace_limit, defaults->stack_trace_limit);
    inherit(&opts->size_limit, defaults->size_limit);
    inherit(&opts->expires_at_ms, defaults->expires_at_ms);
    inherit(&opts->start_within_ms, defaults->start_within_ms);
    inherit(&opts->soft_timeout_ms, defaults->soft_timeout_ms);
    inherit(&opts->hard_timeout_ms, defaults->hard_timeout_ms);
    opts->lifo |= defaults->lifo;
    if (opts->backoff.kind == SC_BACKOFF_NONE)
        opts->backoff = defaults->backoff;
    if (opts->keep_completed.kind == SC_KEEP_DEFAULT)
        opts->keep_completed = defaults->keep_completed;
    if (opts->keep_failed.kind == SC_KEEP_DEFAULT)
        opts->keep_failed = defaults->keep_failed;
    if (!opts->dedup.id.len && !opts->parent.id.len)
        opts->dedup = defaults->dedup;
    if (opts->on_failure == SC_ON_FAILURE_NONE)
        opts->on_failure = defaults->on_failure;
    if (!opts->extra.len)
        opts->extra = defaults->extra;
}

void sc__job_opts_write(sc__str *out, const sc_job_opts *opts)
{
    write_int(out, "{\"attempts\":", opts->attempts);
    if (opts->delay_ms)
        write_int(out, ",\"delay\":", opts->delay_ms);
    if (opts->priority)
        write_int(out, ",\"priority\":", opts->priority);
    if (opts->lifo)
        sc__str_text(out, ",\"lifo\":true");
    if (opts->id.len) {
        sc__str_text(out, ",\"jobId\":");
        sc__str_json(out, opts->id);
    }
    if (opts->timestamp_ms)
        write_int(out, ",\"timestamp\":", opts->timestamp_ms);
    write_backoff(out, &opts->backoff);
    write_keep(out, ",\"removeOnComplete\":", &opts->keep_completed);
    write_keep(out, ",\"removeOnFail\":", &opts->keep_failed);
    if (opts->keep_logs)
        write_int(out, ",\"kl\":", opts->keep_logs);
    if (opts->stack_trace_limit)
        write_int(out, ",\"stackTraceLimit\":",
                  opts->stack_trace_limit < 0 ? 0 : opts->stack_trace_limit);
    if (opts->size_limit)
        write_int(out, ",\"sizeLimit\":", opts->size_limit);
    write_members(out, opts->extra);
    sc__parent_opts_write(out, opts);
    sc__job_limits_write(out, opts);
    write_dedup(out, &opts->dedup); /* last, so that it counts whatever `extra` has */
    sc__str_char(out, '}');
}

static bool is_text(sc__json_value value, const char *text)
{
    return value.kind == SC__JSON_STRING && sc_slice_eq(value.text, sc_slice_of(text));
}

static void parse_backoff(sc__json_value value, sc_backoff *ret_backoff)
{
    sc__json_value member;
    sc_slice key;
    size_t at = 0;

    *ret_backoff = (sc_backoff){.kind = SC_BACKOFF_NONE};
    if (sc__json_count(value))
        *ret_backoff = (sc_backoff){.kind = SC_BACKOFF_FIXED, .delay_ms = sc__json_count(value)};
    while (sc__json_next(value, &at, &key, &member)) {
        if (sc_slice_eq(key, SC_S("type"))) {
            ret_backoff->kind = is_text(member, "fixed")         ? SC_BACKOFF_FIXED
                                : is_text(member, "exponential") ? SC_BACKOFF_EXPONENTIAL
                                                                 : SC_BACKOFF_CUSTOM;
            if (member.kind == SC__JSON_STRING)
                ret_backoff->custom = member.text;
        } else if (sc_slice_eq(key, SC_S("delay"))) {
            ret_backoff->delay_ms = sc__json_count(member);
        } else if (sc_slice_eq(key, SC_S("jitter"))) {
            double jitter = sc__json_double(member);

            ret_backoff->jitter = jitter > 0 && jitter <= 1 ? jitter : 0;
        }
    }
    if (ret_backoff->kind != SC_BACKOFF_CUSTOM)
        ret_backoff->custom = (sc_slice){NULL, 0};
}

static void parse_keep_object(sc__json_value value, sc_keep *ret_keep)
{
    sc__json_value member;
    sc_slice key;
    size_t at = 0;

    *ret_keep = (sc_keep){.kind = SC_KEEP_SOME, .count = -1, .age_s = -1};
    while (sc__json_next(value, &at, &key, &member)) {
        if (member.kind != SC__JSON_NUMBER)
            continue;
        if (sc_slice_eq(key, SC_S("count")))
            ret_keep->count = sc__json_integer(member, -1);
        else if (sc_slice_eq(key, SC_S("age")))
            ret_keep->age_s = sc__json_integer(member, -1);
        else if (sc_slice_eq(key, SC_S("limit")))
            ret_keep->limit = sc__json_count(member);
    }
    if (ret_keep->count == 0)
        *ret_keep = (sc_keep){.kind = SC_KEEP_NONE};
    else if (ret_keep->count < 0 && ret_keep->age_s < 0)
        *ret_keep = (sc_keep){.kind = SC_KEEP_ALL};
}

static void parse_keep(sc__json_value value, sc_keep *ret_keep)
{
    int64_t count;

    *ret_keep = (sc_keep){.kind = SC_KEEP_DEFAULT}; /* of members with one name, the last counts */
    switch (value.kind) {
    case SC__JSON_BOOL:
        ret_keep->kind = sc__json_is_true(value) ? SC_KEEP_NONE : SC_KEEP_ALL;
        break;
    case SC__JSON_NUMBER:
        count = sc__json_integer(value, -1);
        if (count > 0)
            *ret_keep = (sc_keep){.kind = SC_KEEP_SOME, .count = count, .age_s = -1};
        else
            ret_keep->kind = count == 0 ? SC_KEEP_NONE : SC_KEEP_ALL;
        break;
    case SC__JSON_OBJECT:
        parse_keep_object(value, ret_keep);
        break;
    default:
        break;
    }
}

static void parse_dedup(sc__json_value value, sc_dedup *ret_dedup)
{
    sc__json_value member;
    sc_slice key;
    size_t at = 0;

    *ret_dedup = (sc_dedup){.ttl_ms = 0};
    while (sc__json_next(value, &at, &key, &member)) {
        if (sc_slice_eq(key, SC_S("id")) && member.kind == SC__JSON_STRING)
            ret_dedup->id = member.text;
        else if (sc_slice_eq(key, SC_S("ttl")))
            ret_dedup->ttl_ms = sc__json_count(member);
        else if (sc_slice_eq(key, SC_S("extend")))
            ret_dedup->extend = sc__json_is_true(member);
        else if (sc_slice_eq(key, SC_S("replace")))
            ret_dedup->replace = sc__json_is_true(member);
        else if (sc_slice_eq(key, SC_S("reschedule")))
            ret_dedup->reschedule = sc__json_is_true(member);
        else if (sc_slice_eq(key, SC_S("keepLastIfActive")))
            ret_dedup->keep_last_if_active = sc__json_is_true(member);
    }
    if (!ret_dedup->id.len)
        *ret_dedup = (sc_dedup){.ttl_ms = 0};
}

static void parse_member(sc_slice key, sc__json_value value, sc_job_opts *opts)
{
    bool is_number = value.kind == SC__JSON_NUMBER;

    if (sc_slice_eq(key, SC_S("attempts")))
        opts->attempts = sc__json_count(value);
    else if (sc_slice_eq(key, SC_S("delay")))
        opts->delay_ms = sc__json_count(value);
    else if (sc_slice_eq(key, SC_S("priority")))
        opts->priority = sc__json_count(value);
    else if (sc_slice_eq(key, SC_S("lifo")))
        opts->lifo = sc__json_is_true(value);
    else if (sc_slice_eq(key, SC_S("backoff")))
        parse_backoff(value, &opts->backoff);
    else if (sc_slice_eq(key, SC_S("removeOnComplete")))
        parse_keep(value, &opts->keep_completed);
    else if (sc_slice_eq(key, SC_S("removeOnFail")))
        parse_keep(value, &opts->keep_failed);
    else if (sc_slice_eq(key, SC_S("kl")))
        opts->keep_logs = sc__json_count(value);
    else if (sc_slice_eq(key, SC_S("stackTraceLimit")))
        opts->stack_trace_limit = !is_number              ? 0
                                  : sc__json_count(value) ? sc__json_count(value)
                                                          : -1;
    else if (sc_slice_eq(key, SC_S("sizeLimit")))
        opts->size_limit = sc__json_count(value);
    else if (sc_slice_eq(key, SC_S("de")))
        parse_dedup(value, &opts->dedup);
    else if (sc_slice_eq(key, SC_S("sc")))
        sc__job_limits_read(value, opts);
    else if (sc_slice_eq(key, SC_S("timestamp")))
        opts->timestamp_ms = sc__json_count(value);
    else if (sc_slice_eq(key, SC_S("jobId")) && value.kind == SC__JSON_STRING)
        opts->id = value.text;
    else
        sc__parent_opts_parse(key, value, opts);
}

sc_err sc__job_opts_parse(sc_slice stored, sc_job_opts *ret_opts, sc_reason *ret_reason)
{
    sc__json_value object, value;
    sc_slice key;
    size_t at = 0;
    sc_err err;

    *ret_opts = SC_JOB_OPTS_INIT;
    err = sc__json_scan(stored, &object, ret_reason);
    if (err)
        return err;
    if (object.kind != SC__JSON_OBJECT)
        return sc__because(ret_reason, SC_ESYNTAX, "the job's options are not a JSON object");
    while (sc__json_next(object, &at, &key, &value))
        parse_member(key, value, ret_opts);
    return SC_OK;
}
