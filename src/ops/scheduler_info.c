/* A scheduler's hash, as it is read. Fields of ours begin with "sc:". */
#include "scheduler_keys.h"

#include "base/str.h"
#include "op_scheduler.h"
#include "scheduler_policy.h"

/* What other programs wrote may be any number: beyond what JavaScript counts exactly it is cut, so that sums of a few don't overflow. */
#define NUMBER_MAX ((int64_t)1 << 53)

static int64_t cut(int64_t number)
{
    if (number > NUMBER_MAX)
        return NUMBER_MAX;
    return number < -NUMBER_MAX ? -NUMBER_MAX : number;
}

static int64_t number_of(sc_slice text, int64_t otherwise)
{
    int64_t number;

    return sc__int_parse(text, &number) ? cut(number) : otherwise;
}

/* A score may be a fraction, or infinite. */
static int64_t score_of(const sc_reply *score)
{
    if (score->type == SC_REPLY_DOUBLE)
        return score->number >= (double)NUMBER_MAX    ? NUMBER_MAX
               : score->number <= -(double)NUMBER_MAX ? -NUMBER_MAX
                                                      : (int64_t)score->number;
    return number_of(score->str, 0);
}

static void set_field(sc_scheduler_info *info, sc_slice name, sc_slice value)
{
    const struct {
        const char *name;
        sc_slice *text;
        int64_t *number;
        bool *flag; /* true when it is there */
    } fields[] = {
        {"name", &info->name, NULL, NULL},
        {"pattern", &info->pattern, NULL, NULL},
        {"tz", &info->tz, NULL, NULL},
        {"data", &info->data, NULL, NULL},
        {"opts", &info->opts, NULL, NULL},
        {"every", NULL, &info->every_ms, NULL},
        {"offset", NULL, &info->offset_ms, NULL},
        {"startDate", NULL, &info->start_ms, NULL},
        {"endDate", NULL, &info->end_ms, NULL},
        {"limit", NULL, &info->limit, NULL},
        {"ic", NULL, &info->iterations, NULL},
        {"sc:rev", &info->revision, NULL, &info->is_guarded},
        {"sc:nominal", NULL, &info->nominal_ms, NULL},
        {"sc:window", NULL, &info->catchup_window_ms, NULL},
        {"sc:jitter", NULL, &info->jitter_ms, NULL},
        {"sc:exclude", &info->exclude, NULL, NULL},
        {"sc:paused", NULL, NULL, &info->is_paused},
        {"sc:plain", NULL, &info->plain_count, &info->was_plain},
        {"sc:over", NULL, NULL, &info->is_over},
        {"sc:missed", NULL, &info->missed, NULL},
        {"sc:skipped", NULL, &info->skipped, NULL},
    };

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        if (!sc_slice_eq(name, sc_slice_of(fields[i].name)))
            continue;
        if (fields[i].text)
            *fields[i].text = value;
        if (fields[i].number)
            *fields[i].number = number_of(value, *fields[i].number);
        if (fields[i].flag)
            *fields[i].flag = true;
    }
    if (sc_slice_eq(name, SC_S("sc:overlap")))
        info->overlap = sc__overlap_of(value);
    else if (sc_slice_eq(name, SC_S("sc:catchup")))
        info->catchup = sc__catchup_of(value);
    else if (sc_slice_eq(name, SC_S("sc:dst")))
        info->dst = sc__dst_of(value);
}

static sc_err copy(sc__arena *arena, sc_slice *text)
{
    const char *bytes = sc__arena_dup(arena, *text);

    if (!bytes)
        return SC_ETOOBIG;
    text->ptr = bytes;
    return SC_OK;
}

static sc_err copy_texts(sc_scheduler_info *info, sc__arena *arena)
{
    sc_slice *texts[] = {&info->id,   &info->name, &info->pattern, &info->tz,
                         &info->data, &info->opts, &info->exclude, &info->revision};
    sc_err err = SC_OK;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts) && !err; i++)
        err = copy(arena, texts[i]);
    return err;
}

sc_err sc__scheduler_info_read(const sc_reply *items, sc__arena *arena, sc_scheduler_info *ret_info)
{
    const sc_reply *rule = &items[2];
    sc_scheduler_info info = {.id = items[0].str, .next_ms = score_of(&items[1]), .offset_ms = -1};
    sc_err err;

    if (rule->type != SC_REPLY_ARRAY && rule->type != SC_REPLY_MAP)
        return SC_EPROTO;
    for (size_t i = 0; i + 1 < rule->count; i += 2)
        set_field(&info, rule->items[i].str, rule->items[i + 1].str);
    err = copy_texts(&info, arena);
    if (!err)
        *ret_info = info;
    return err;
}

/* What a run is made by. */
static const char *const rule_fields[] = {
    "sc:rev",     "sc:nominal", "ic",        "opts",       "pattern", "tz",
    "every",      "offset",     "startDate", "endDate",    "limit",   "sc:overlap",
    "sc:catchup", "sc:window",  "sc:jitter", "sc:exclude", "sc:dst",  "sc:paused",
};

enum { RULE_FIELDS = sizeof(rule_fields) / sizeof(*rule_fields) };

void sc__scheduler_field_args(sc__args *args)
{
    for (size_t i = 0; i < RULE_FIELDS; i++)
        sc__args_text(args, rule_fields[i]);
}

sc_err sc__scheduler_rule_read(const sc_reply *items, sc__arena *arena, sc_scheduler_info *ret_info)
{
    const sc_reply *values = &items[2];
    sc_scheduler_info info = {.id = items[0].str, .next_ms = score_of(&items[1]), .offset_ms = -1};
    sc_err err;

    if (values->type != SC_REPLY_ARRAY || values->count != RULE_FIELDS)
        return SC_EPROTO;
    for (size_t i = 0; i < RULE_FIELDS; i++)
        if (values->items[i].type == SC_REPLY_STRING)
            set_field(&info, sc_slice_of(rule_fields[i]), values->items[i].str);
    err = copy_texts(&info, arena);
    if (!err)
        *ret_info = info;
    return err;
}

sc_repeat sc__scheduler_repeat(const sc_scheduler_info *info)
{
    return (sc_repeat){
        .pattern = info->pattern,
        .tz = info->tz,
        .every_ms = info->every_ms,
        .offset_ms = info->pattern.len ? -1 : info->offset_ms,
        .start_ms = info->start_ms,
        .end_ms = info->end_ms,
        .limit = info->limit,
        .overlap = info->overlap,
        .catchup = info->catchup,
        .catchup_window_ms = info->catchup_window_ms,
        .jitter_ms = info->jitter_ms,
        .exclude = info->exclude,
        .dst = info->dst,
        .paused = info->is_paused,
    };
}
