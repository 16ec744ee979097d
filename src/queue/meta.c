/* What a queue's `meta` says, as BullMQ's getMeta() shows it. */
#include <storychain/inspect.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "id_list.h"
#include "ops/op_inspect.h"
#include "queue.h"

/* The fields that have a place of their own. */
static int64_t *number_field(sc_queue_meta *m, sc_slice name)
{
    if (sc_slice_eq(name, SC_S("concurrency")))
        return &m->concurrency;
    if (sc_slice_eq(name, SC_S("max")))
        return &m->max;
    if (sc_slice_eq(name, SC_S("duration")))
        return &m->duration_ms;
    if (sc_slice_eq(name, SC_S("opts.maxLenEvents")))
        return &m->max_events;
    return NULL;
}

static void read_field(sc_queue_meta *m, sc_slice *names, sc_slice *values, char **at,
                       sc_slice name, sc_slice value)
{
    int64_t *number = number_field(m, name);

    if (number) {
        if (!sc__int_parse(value, number))
            *number = 0;
    } else if (sc_slice_eq(name, SC_S("paused"))) {
        m->paused = sc_slice_eq(value, SC_S("1"));
    } else if (sc_slice_eq(name, SC_S("version"))) {
        m->version = sc__put_text(at, value);
    } else {
        names[m->other_count] = sc__put_text(at, name);
        values[m->other_count++] = sc__put_text(at, value);
    }
}

static sc_queue_meta *meta_of(const sc_reply *reply)
{
    size_t pairs = reply->count / 2;
    size_t size = sizeof(sc_queue_meta) + 2 * pairs * sizeof(sc_slice) + 1;
    sc_queue_meta *m;
    sc_slice *names, *values;
    char *at;

    for (size_t i = 0; i < 2 * pairs; i++)
        size += reply->items[i].str.len + 1;
    m = sc__calloc(1, size);
    if (!m)
        return NULL;
    names = (sc_slice *)(m + 1);
    values = names + pairs;
    at = (char *)(values + pairs);
    m->version = sc__put_text(&at, (sc_slice){NULL, 0});
    m->other_names = names;
    m->other_values = values;
    for (size_t i = 0; i < pairs; i++)
        read_field(m, names, values, &at, reply->items[2 * i].str, reply->items[2 * i + 1].str);
    return m;
}

sc_err sc_queue_get_meta(sc_queue *queue, sc_queue_meta **ret_meta, sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_queue_meta *m;
    sc_err err = sc__op_get_meta(queue->client, &queue->keys, &reply, ret_reason);

    if (err)
        return err;
    m = meta_of(reply);
    sc_reply_free(reply);
    if (!m)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    *ret_meta = m;
    return SC_OK;
}
