#include "job_decode.h"

#include "base/error.h"
#include "base/json_scan.h"
#include "base/mem.h"
#include "base/str.h"
#include "job_opts.h"

/* Where each field of the hash goes: texts and numbers of sc_job. */
static const struct field {
    sc_slice name;
    size_t offset;
    bool is_number;
} job_fields[] = {
#define TEXT(name, member)                                                                         \
    {                                                                                              \
        {name, sizeof(name) - 1}, offsetof(sc_job, member), false                                  \
    }
#define NUMBER(name, member)                                                                       \
    {                                                                                              \
        {name, sizeof(name) - 1}, offsetof(sc_job, member), true                                   \
    }
    TEXT("name", name),
    TEXT("data", data),
    TEXT("opts", opts),
    NUMBER("timestamp", timestamp_ms),
    NUMBER("delay", delay_ms),
    NUMBER("priority", priority),
    NUMBER("processedOn", processed_ms),
    NUMBER("ats", attempts_started),
    NUMBER("atm", attempts_made),
    NUMBER("stc", stalled_count),
    NUMBER("finishedOn", finished_ms),
    TEXT("progress", progress),
    TEXT("returnvalue", return_value),
    TEXT("failedReason", failed_reason),
    TEXT("stacktrace", stacktrace),
    TEXT("parentKey", parent_key),
    TEXT("parent", parent),
    TEXT("rjk", scheduler_id),
    TEXT("deid", dedup_id),
    TEXT("pb", processed_by),
    TEXT("defa", deferred_failure),
#undef TEXT
#undef NUMBER
};

#define COUNT_MAX INT64_C(1000000000000000)

enum { FIELD_COUNT = sizeof(job_fields) / sizeof(*job_fields), LONGEST_EMPTY = sizeof("{}") };

static const struct field *find_field(sc_slice name)
{
    for (size_t i = 0; i < FIELD_COUNT; i++)
        if (sc_slice_eq(job_fields[i].name, name))
            return &job_fields[i];
    return NULL;
}

/* Other languages may store "5e3" or "1.5" where we store integers. */
static int64_t number_of(sc_slice text)
{
    sc__json_value value;
    int64_t number;

    if (sc__int_parse(text, &number))
        return number;
    if (sc__json_scan(text, &value, NULL))
        return 0;
    return sc__json_integer(value, 0);
}

static sc_slice text_of(const sc_reply *r)
{
    return r->type == SC_REPLY_STRING ? r->str : (sc_slice){NULL, 0};
}

static sc_slice put(char **at, sc_slice text)
{
    sc_slice copy = {*at, text.len};

    if (text.len)
        memcpy(*at, text.ptr, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

static size_t size_of(sc_slice id, const sc_reply *fields)
{
    /* Texts that are not there still get their NUL, or "{}". */
    size_t size = sizeof(sc_job) + id.len + 1 + FIELD_COUNT * LONGEST_EMPTY;

    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        const struct field *field = find_field(text_of(&fields->items[i]));

        if (field && !field->is_number)
            size += text_of(&fields->items[i + 1]).len;
    }
    return size;
}

static sc_slice *text_at(sc_job *job, const struct field *field)
{
    return (sc_slice *)((char *)job + field->offset);
}

static void fill_missing(sc_job *job, char **at)
{
    for (size_t i = 0; i < FIELD_COUNT; i++) {
        sc_slice *text = text_at(job, &job_fields[i]);

        if (job_fields[i].is_number || text->len)
            continue;
        if (text == &job->data || text == &job->opts)
            *text = put(at, SC_S("{}"));
        else if (text == &job->progress)
            *text = put(at, SC_S("0"));
        else
            *text = put(at, SC_S(""));
    }
}

/* Counts that another client broke: below 0 a job would be tried for ever, and the largest could not be counted on. */
static void bound(int64_t *count)
{
    if (*count < 0)
        *count = 0;
    if (*count > COUNT_MAX)
        *count = COUNT_MAX;
}

static sc_job *build(void *memory, sc_slice id, const sc_reply *fields)
{
    sc_job *job = memory;
    char *at = (char *)(job + 1);

    *job = (sc_job){0};
    job->id = put(&at, id);
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        const struct field *field = find_field(text_of(&fields->items[i]));
        sc_slice value = text_of(&fields->items[i + 1]);

        if (!field)
            continue;
        if (field->is_number)
            *(int64_t *)((char *)job + field->offset) = number_of(value);
        else if (value.len && !text_at(job, field)->len)
            *text_at(job, field) = put(&at, value);
    }
    fill_missing(job, &at);
    bound(&job->attempts_made);
    bound(&job->attempts_started);
    bound(&job->stalled_count);
    return job;
}

sc_err sc__job_read_opts(sc_job *job, sc_job_opts *ret_opts, sc_reason *ret_reason)
{
    sc_err err = sc__job_opts_parse(job->opts, ret_opts, ret_reason);

    job->attempts = ret_opts->attempts;
    return err;
}

static sc_err check_shape(sc_slice id, const sc_reply *fields, sc_reason *ret_reason)
{
    int shown = id.len < 64 ? (int)id.len : 64;

    if (fields->type == SC_REPLY_NIL ||
        ((fields->type == SC_REPLY_ARRAY || fields->type == SC_REPLY_MAP) && fields->count == 0))
        return sc__because(ret_reason, SC_ENOJOB, "there is no job %.*s", shown, id.ptr);
    if ((fields->type != SC_REPLY_ARRAY && fields->type != SC_REPLY_MAP) || fields->count % 2)
        return sc__because(ret_reason, SC_ELAYOUT, "job %.*s is not stored as a hash", shown,
                           id.ptr);
    return SC_OK;
}

sc_err sc__job_decode(sc__arena *arena, sc_slice id, const sc_reply *fields, sc_job **ret_job,
                      sc_reason *ret_reason)
{
    void *memory;
    sc_err err = check_shape(id, fields, ret_reason);

    if (err)
        return err;
    memory = sc__arena_alloc(arena, size_of(id, fields));
    if (!memory)
        return sc__because(ret_reason, SC_ETOOBIG, "the job does not fit into its memory");
    *ret_job = build(memory, id, fields);
    return SC_OK;
}

sc_err sc__job_decode_new(sc_slice id, const sc_reply *fields, sc_job **ret_job,
                          sc_reason *ret_reason)
{
    void *memory;
    sc_job_opts opts;
    sc_err err = check_shape(id, fields, ret_reason);

    if (err)
        return err;
    memory = sc__malloc(size_of(id, fields));
    if (!memory)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    *ret_job = build(memory, id, fields);
    if (sc__job_read_opts(*ret_job, &opts, NULL))
        (*ret_job)->attempts = 0;
    return SC_OK;
}

static bool copy_text(sc__arena *arena, sc_slice *text)
{
    text->ptr = sc__arena_dup(arena, *text);
    return text->ptr;
}

sc_job *sc__job_copy(sc__arena *arena, const sc_job *job)
{
    sc_job *copy = sc__arena_alloc(arena, sizeof(*copy));
    bool done = copy;

    if (copy) {
        *copy = *job;
        done = copy_text(arena, &copy->id);
    }
    for (size_t i = 0; done && i < FIELD_COUNT; i++)
        if (!job_fields[i].is_number)
            done = copy_text(arena, text_at(copy, &job_fields[i]));
    return done ? copy : NULL;
}
