#include "job_parent.h"

#include "base/error.h"
#include "base/utf8.h"

enum { NAME_MAX_BYTES = 4096 };

/* BullMQ's short names, which stand in the options and in what a child keeps of its parent. */
static const char *const on_failure_names[] = {
    [SC_ON_FAILURE_NONE] = NULL,       [SC_ON_FAILURE_FAIL] = "fpof",
    [SC_ON_FAILURE_CONTINUE] = "cpof", [SC_ON_FAILURE_IGNORE] = "idof",
    [SC_ON_FAILURE_REMOVE] = "rdof",
};

/* "prefix:name"; neither is empty. */
static bool is_qualified(sc_slice queue)
{
    const char *colon = memchr(queue.ptr, ':', queue.len);

    return colon && colon > queue.ptr && queue.ptr[queue.len - 1] != ':';
}

sc_err sc__parent_check(const sc_job_opts *opts, sc_reason *ret_reason)
{
    const sc_parent *parent = &opts->parent;

    if ((unsigned)opts->on_failure > SC_ON_FAILURE_REMOVE)
        return sc__because(ret_reason, SC_EINVAL, "what a failure does to the parent is unknown");
    if (!parent->id.len && !parent->queue.len)
        return SC_OK;
    if (!parent->id.len || !parent->queue.len || !is_qualified(parent->queue))
        return sc__because(ret_reason, SC_EINVAL,
                           "the parent needs an id, and a queue with its prefix (\"bull:email\")");
    if (parent->id.len > NAME_MAX_BYTES || parent->queue.len > NAME_MAX_BYTES)
        return sc__because(ret_reason, SC_EINVAL,
                           "the parent's id or queue is longer than %d bytes", NAME_MAX_BYTES);
    if (!sc__utf8_valid(parent->id, NULL) || !sc__utf8_valid(parent->queue, NULL))
        return sc__because(ret_reason, SC_EINVAL, "the parent's id or queue is not UTF-8");
    if (opts->dedup.id.len)
        return sc__because(ret_reason, SC_EINVAL, "a job with a parent cannot be deduplicated");
    return SC_OK;
}

static void write_on_failure(sc__str *out, sc_on_failure on_failure)
{
    if (on_failure != SC_ON_FAILURE_NONE)
        sc__str_printf(out, ",\"%s\":true", on_failure_names[on_failure]);
}

static void write_parent(sc__str *out, const sc_parent *parent, const char *queue_member)
{
    sc__str_text(out, "{\"id\":");
    sc__str_json(out, parent->id);
    sc__str_printf(out, ",\"%s\":", queue_member);
    sc__str_json(out, parent->queue);
}

void sc__parent_key_write(sc__str *out, const sc_parent *parent)
{
    if (!parent->id.len)
        return;
    sc__str_append(out, parent->queue);
    sc__str_char(out, ':');
    sc__str_append(out, parent->id);
}

void sc__parent_write(sc__str *out, const sc_job_opts *opts)
{
    if (!opts->parent.id.len)
        return;
    write_parent(out, &opts->parent, "queueKey");
    write_on_failure(out, opts->on_failure);
    sc__str_char(out, '}');
}

void sc__parent_opts_write(sc__str *out, const sc_job_opts *opts)
{
    write_on_failure(out, opts->on_failure);
    if (!opts->parent.id.len)
        return;
    sc__str_text(out, ",\"parent\":");
    write_parent(out, &opts->parent, "queue");
    sc__str_char(out, '}');
}

static void parse_parent(sc__json_value value, sc_parent *ret_parent)
{
    sc__json_value member;
    sc_slice key;
    size_t at = 0;

    *ret_parent = (sc_parent){.id = {NULL, 0}};
    while (sc__json_next(value, &at, &key, &member)) {
        if (sc_slice_eq(key, SC_S("id")) && member.kind == SC__JSON_STRING)
            ret_parent->id = member.text;
        else if (sc_slice_eq(key, SC_S("queue")) && member.kind == SC__JSON_STRING)
            ret_parent->queue = member.text;
    }
    if (!ret_parent->id.len || !ret_parent->queue.len)
        *ret_parent = (sc_parent){.id = {NULL, 0}};
}

static void parse_on_failure(sc_slice key, sc__json_value value, sc_on_failure *on_failure)
{
    for (int i = SC_ON_FAILURE_FAIL; i <= SC_ON_FAILURE_REMOVE; i++)
        if (sc_slice_eq(key, sc_slice_of(on_failure_names[i])) && sc__json_is_true(value) &&
            (*on_failure == SC_ON_FAILURE_NONE || i < (int)*on_failure))
            *on_failure = (sc_on_failure)i;
}

void sc__parent_opts_parse(sc_slice key, sc__json_value value, sc_job_opts *opts)
{
    if (sc_slice_eq(key, SC_S("parent")))
        parse_parent(value, &opts->parent);
    else
        parse_on_failure(key, value, &opts->on_failure);
}
