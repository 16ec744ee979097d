#include "scheduler_opts.h"

#include "base/json_scan.h"
#include "op_scheduler.h"

/* Members that belong to one job and are written anew for each. */
static bool is_of_one_job(sc_slice key)
{
    static const char *const names[] = {"repeat", "jobId",      "timestamp",
                                        "delay",  "prevMillis", "repeatJobKey"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (sc_slice_eq(key, sc_slice_of(names[i])))
            return true;
    return false;
}

static bool object_of(sc_slice stored, sc__json_value *ret_object)
{
    return sc__json_scan(stored, ret_object, NULL) == SC_OK && ret_object->kind == SC__JSON_OBJECT;
}

/* Copies a string, its simple escapes undone (Lua writes "Europe\\/Berlin"). Others don't occur in what is read here:
 * with one of them, or when it doesn't fit, the copy is empty. */
static void copy_text(sc__json_value value, char *out, size_t size)
{
    size_t len = 0;

    for (size_t i = 0; value.kind == SC__JSON_STRING && i < value.text.len; i++) {
        char c = value.text.ptr[i];
        bool is_odd = false;

        if (c == '\\') {
            c = value.text.ptr[++i];
            is_odd = c != '/' && c != '"' && c != '\\';
        }
        if (is_odd || len + 1 == size) {
            len = 0;
            break;
        }
        out[len++] = c;
    }
    out[len] = '\0';
}

static void read_repeat(sc__json_value repeat, sc__scheduler_opts *opts)
{
    sc__json_value value;
    sc_slice key;
    size_t at = 0;

    if (repeat.kind != SC__JSON_OBJECT)
        return;
    while (sc__json_next(repeat, &at, &key, &value)) {
        if (sc_slice_eq(key, SC_S("pattern")))
            copy_text(value, opts->pattern, sizeof(opts->pattern));
        else if (sc_slice_eq(key, SC_S("tz")))
            copy_text(value, opts->tz, sizeof(opts->tz));
        else if (sc_slice_eq(key, SC_S("every")))
            opts->every_ms = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("limit")))
            opts->limit = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("endDate")))
            opts->end_ms = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("offset")))
            opts->offset_ms = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("nominal")))
            opts->nominal_ms = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("count")))
            opts->count = sc__json_count(value);
    }
}

static void read_dedup(sc__json_value dedup, sc__scheduler_opts *opts)
{
    sc__json_value value;
    sc_slice key;
    size_t at = 0;

    while (dedup.kind == SC__JSON_OBJECT && sc__json_next(dedup, &at, &key, &value))
        if (sc_slice_eq(key, SC_S("id")))
            copy_text(value, opts->dedup_id, sizeof(opts->dedup_id));
}

void sc__scheduler_opts_read(sc_slice stored, sc__scheduler_opts *ret_opts)
{
    sc__json_value object, value;
    sc_slice key;
    size_t at = 0;

    *ret_opts = (sc__scheduler_opts){0};
    if (!object_of(stored, &object))
        return;
    while (sc__json_next(object, &at, &key, &value)) {
        if (sc_slice_eq(key, SC_S("priority")))
            ret_opts->priority = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("delay")))
            ret_opts->delay_ms = sc__json_count(value);
        else if (sc_slice_eq(key, SC_S("lifo")))
            ret_opts->lifo = sc__json_is_true(value);
        else if (sc_slice_eq(key, SC_S("de")))
            read_dedup(value, ret_opts);
        else if (sc_slice_eq(key, SC_S("repeat")))
            read_repeat(value, ret_opts);
    }
}

/* Begins a member; `key` with its escapes as they stand. */
static void write_key(sc__str *out, size_t began, sc_slice key)
{
    sc__str_char(out, out->len == began ? '{' : ',');
    sc__str_char(out, '"');
    sc__str_append(out, key);
    sc__str_text(out, "\":");
}

static void write_value(sc__str *out, sc__json_value value)
{
    if (value.kind == SC__JSON_STRING)
        sc__str_char(out, '"');
    sc__str_append(out, value.text);
    if (value.kind == SC__JSON_STRING)
        sc__str_char(out, '"');
}

static void write_number(sc__str *out, size_t began, const char *key, int64_t number)
{
    write_key(out, began, sc_slice_of(key));
    sc__str_int(out, number);
}

static void write_text(sc__str *out, size_t began, const char *key, sc_slice text)
{
    write_key(out, began, sc_slice_of(key));
    sc__str_json(out, text);
}

/* The members that all jobs of a scheduler share, without a closing brace. */
static void write_shared(sc__str *out, sc_slice stored, bool with_no_attempts)
{
    size_t began = out->len, at = 0;
    bool has_attempts = false;
    sc__json_value object, value;
    sc_slice key;

    if (!object_of(stored, &object))
        object = (sc__json_value){SC__JSON_OBJECT, SC_S("{}")};
    while (sc__json_next(object, &at, &key, &value)) {
        bool is_attempts = sc_slice_eq(key, SC_S("attempts"));

        if (is_of_one_job(key) || (is_attempts && !with_no_attempts && !sc__json_count(value)))
            continue;
        has_attempts |= is_attempts;
        write_key(out, began, key);
        write_value(out, value);
    }
    if (with_no_attempts && !has_attempts)
        write_number(out, began, "attempts", 0);
}

void sc__scheduler_template_write(sc__str *out, sc_slice stored)
{
    size_t began = out->len;

    write_shared(out, stored, false);
    if (out->len > began)
        sc__str_char(out, '}');
}

/* `nominal_ms` 0: not said. */
static void write_repeat(sc__str *out, const sc_repeat *repeat, int64_t count, int64_t nominal_ms)
{
    size_t began = out->len;

    if (repeat->pattern.len)
        write_text(out, began, "pattern", repeat->pattern);
    else
        write_number(out, began, "every", repeat->every_ms);
    if (repeat->tz.len)
        write_text(out, began, "tz", repeat->tz);
    if (repeat->limit)
        write_number(out, began, "limit", repeat->limit);
    if (repeat->offset_ms > 0)
        write_number(out, began, "offset", repeat->offset_ms);
    if (repeat->start_ms)
        write_number(out, began, "startDate", repeat->start_ms);
    if (repeat->end_ms)
        write_number(out, began, "endDate", repeat->end_ms);
    if (nominal_ms)
        write_number(out, began, "nominal", nominal_ms);
    write_number(out, began, "count", count);
    sc__str_char(out, '}');
}

void sc__scheduler_head_write(sc__str *out, sc_slice scheduler_id, sc_slice stored,
                              const sc_repeat *repeat, int64_t count)
{
    size_t began = out->len;

    write_shared(out, stored, false);
    write_text(out, began, "repeatJobKey", scheduler_id);
    write_key(out, began, SC_S("repeat"));
    write_repeat(out, repeat, count, 0);
}

static void write_dedup(sc__str *out, size_t began, sc_slice scheduler_id, bool keeps_last)
{
    AUTO_STR id = STR_MAX(4096);

    sc__str_text(&id, "repeat:");
    sc__str_append(&id, scheduler_id);
    if (id.err && !out->err)
        out->err = id.err;
    write_key(out, began, SC_S("de"));
    write_text(out, out->len, "id", sc__str_slice(&id));
    if (keeps_last)
        sc__str_text(out, ",\"keepLastIfActive\":true");
    sc__str_char(out, '}');
}

void sc__scheduler_run_head_write(sc__str *out, const sc_scheduler_info *rule, int64_t count,
                                  int64_t nominal_ms)
{
    const sc_repeat repeat = sc__scheduler_repeat(rule);
    size_t began = out->len;

    write_shared(out, rule->opts, false);
    if (rule->overlap == SC_OVERLAP_SKIP || rule->overlap == SC_OVERLAP_BUFFER_ONE)
        write_dedup(out, began, rule->id, rule->overlap == SC_OVERLAP_BUFFER_ONE);
    write_text(out, began, "repeatJobKey", rule->id);
    write_key(out, began, SC_S("repeat"));
    write_repeat(out, &repeat, count, nominal_ms);
}

static bool find_member(sc_slice stored, const char *name, sc__json_value *ret_value)
{
    sc__json_value object;
    sc_slice key;
    size_t at = 0;

    if (!object_of(stored, &object))
        return false;
    while (sc__json_next(object, &at, &key, ret_value))
        if (sc_slice_eq(key, sc_slice_of(name)))
            return true;
    return false;
}

/* Is this said anew for the next job, or of this one alone? */
static bool is_replaced(sc_slice key, bool by_pattern)
{
    return sc_slice_eq(key, SC_S("count")) || sc_slice_eq(key, SC_S("nominal")) ||
           (by_pattern && (sc_slice_eq(key, SC_S("pattern")) || sc_slice_eq(key, SC_S("tz")) ||
                           sc_slice_eq(key, SC_S("every"))));
}

void sc__scheduler_next_head_write(sc__str *out, sc_slice scheduler_id, sc_slice stored,
                                   int64_t count, sc_slice pattern, sc_slice tz)
{
    size_t began = out->len, at = 0;
    sc__json_value repeat, value;
    sc_slice key;

    write_shared(out, stored, true);
    write_text(out, began, "repeatJobKey", scheduler_id);
    write_key(out, began, SC_S("repeat"));
    began = out->len;
    if (find_member(stored, "repeat", &repeat) && repeat.kind == SC__JSON_OBJECT) {
        while (sc__json_next(repeat, &at, &key, &value)) {
            if (is_replaced(key, pattern.len > 0))
                continue;
            write_key(out, began, key);
            write_value(out, value);
        }
    }
    if (pattern.len)
        write_text(out, began, "pattern", pattern);
    if (tz.len)
        write_text(out, began, "tz", tz);
    write_number(out, began, "count", count);
    sc__str_char(out, '}');
}
