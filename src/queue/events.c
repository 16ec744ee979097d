#include "events.h"

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "ops/client_name.h"

enum {
    BATCH = 100,
    BATCH_MAX = 1000,
    BLOCK_MS = 10000,
    BLOCK_MAX_MS = 60 * 60 * 1000,
    PAUSE_FIRST_MS = 50,
    PAUSE_LONGEST_MS = 2000,
};

static void read_next(sc_events *e);

static void failed(sc_events *e, sc_err err, const sc_reason *why)
{
    int64_t pause = PAUSE_FIRST_MS << (e->failures < 6 ? e->failures : 6);

    if (!e->failures)
        sc__log(SC_LOG_WARN, "queue %s: its events can't be read, trying again: %s", e->queue->name,
                why->text[0] ? why->text : sc_err_text(err));
    e->failures++;
    sc__timer_start(e->timer, pause < PAUSE_LONGEST_MS ? pause : PAUSE_LONGEST_MS);
}

/* The place moves before the callback, which may stop us: then the next start goes on behind this event. */
static sc_err hand_out(sc_events *e, const sc_reply *entries, size_t count, sc_reason *ret_reason)
{
    for (size_t i = 0; i < count && e->running; i++) {
        sc_event event;
        sc_err err = sc__event_decode(&e->decoder, &entries[i], &event, ret_reason);

        if (err)
            return err;
        if (!sc__stream_id_set(&e->last_id, event.id))
            return sc__because(ret_reason, SC_EPROTO, "the server sent an entry without an id");
        sc__events_tell_waits(e, &event);
        if (e->cb)
            e->cb(e->user, &event);
    }
    return SC_OK;
}

static void on_read(void *user, sc_err err, const sc_reply *reply)
{
    sc_events *e = user;
    sc_reason why = {""};
    const sc_reply *entries;
    size_t count;

    if (!e->running)
        return;
    if (!err)
        err = sc__event_entries(reply, &entries, &count, &why);
    if (!err)
        err = hand_out(e, entries, count, &why);
    if (err) {
        failed(e, err, &why);
        return;
    }
    if (e->failures)
        sc__log(SC_LOG_INFO, "queue %s: its events are read again", e->queue->name);
    e->failures = 0;
    if (e->running)
        read_next(e);
}

static void read_next(sc_events *e)
{
    char count[SC__INT_LEN], block[SC__INT_LEN];
    const sc_slice argv[] = {
        SC_S("XREAD"),
        SC_S("COUNT"),
        /* After a failure one at a time: a whole batch may have been more than the client takes in a reply. */
        {count, sc__int_text(e->failures ? 1 : (int64_t)e->batch, count)},
        SC_S("BLOCK"),
        {block, sc__int_text(e->block_ms, block)},
        SC_S("STREAMS"),
        e->queue->keys.key[SC__KEY_EVENTS],
        sc_slice_of(e->last_id.text),
    };
    sc_err err;

    sc__timer_stop(
        e->timer); /* one read at a time, also after a stop and a start in the callback */
    err =
        sc__blocking_call(e->blocking, argv, sizeof(argv) / sizeof(*argv), e->block_ms, on_read, e);
    if (err)
        failed(e, err, &(sc_reason){""});
}

static void on_timer(void *arg)
{
    read_next(arg);
}

struct start {
    sc_events *events;
    sc_events_cb cb;
    void *user;
    sc_err err;
};

static void start_on_loop(void *arg)
{
    struct start *start = arg;
    sc_events *e = start->events;

    if (e->running) {
        start->err = SC_ESTATE;
        return;
    }
    e->running = true;
    e->failures = 0;
    e->cb = start->cb;
    e->user = start->user;
    /* By the timer, for the callback that stopped us may not have returned. */
    sc__timer_start(e->timer, 0);
}

sc_err sc_events_start(sc_events *events, sc_events_cb cb, void *user)
{
    struct start start = {events, cb, user, SC_OK};

    sc__loop_run_wait(sc__client_loop(events->queue->client), start_on_loop, &start);
    return start.err;
}

static void stop_on_loop(void *arg)
{
    sc_events *e = arg;

    e->running = false;
    sc__timer_stop(e->timer);
    sc__blocking_cancel(e->blocking);
    sc__events_cancel_waits(e);
}

void sc_events_stop(sc_events *events)
{
    sc__loop_run_wait(sc__client_loop(events->queue->client), stop_on_loop, events);
}

static sc_err check(const sc_events_opts *opts, sc_reason *ret_reason)
{
    if (opts->batch > BATCH_MAX)
        return sc__because(ret_reason, SC_EINVAL, "a batch of %zu events; the limit is %d",
                           opts->batch, BATCH_MAX);
    if (opts->block_ms < 0 || opts->block_ms > BLOCK_MAX_MS)
        return sc__because(ret_reason, SC_EINVAL,
                           "a read of events waits for 1 ms to an hour, not %lld ms",
                           (long long)opts->block_ms);
    return SC_OK;
}

static sc_err find_place(sc_events *e, sc_slice last_id, sc_reason *ret_reason)
{
    if (!last_id.len || sc_slice_eq(last_id, SC_S("$")))
        return sc__op_last_event(e->queue->client, &e->queue->keys, &e->last_id, ret_reason);
    if (!sc__stream_id_set(&e->last_id, last_id))
        return sc__because(
            ret_reason, SC_EINVAL,
            "\"%.*s\" is no id of an event; give \"1700000000000-0\", \"0\" or \"$\"",
            last_id.len < 64 ? (int)last_id.len : 64, last_id.ptr);
    return SC_OK;
}

static sc_err connect_to(sc_events *e)
{
    AUTO_STR name = STR_MAX(8 * 1024);

    sc__events_client_name(&name, sc_queue_prefix(e->queue), sc_queue_name(e->queue));
    if (name.err)
        return name.err;
    return sc__blocking_new(e->queue->client, sc__str_slice(&name), &e->blocking);
}

static void make_timer(void *arg)
{
    sc_events *e = arg;

    if (sc__timer_new(sc__client_loop(e->queue->client), on_timer, e, &e->timer))
        e->timer = NULL;
}

sc_err sc_events_new(sc_queue *queue, const sc_events_opts *opts, sc_events **ret_events,
                     sc_reason *ret_reason)
{
    const sc_events_opts none = {0};
    sc_events *e;
    sc_err err;

    if (sc__queue_may_not_wait(queue))
        return SC_EDEADLK;
    opts = opts ? opts : &none;
    err = check(opts, ret_reason);
    if (err)
        return err;
    e = sc__calloc(1, sizeof(*e));
    if (!e)
        return SC_ENOMEM;
    e->queue = queue;
    e->batch = opts->batch ? opts->batch : BATCH;
    e->block_ms = opts->block_ms ? opts->block_ms : BLOCK_MS;
    err = find_place(e, opts->last_id, ret_reason);
    if (!err)
        err = connect_to(e);
    if (err)
        goto out;
    sc__loop_run_wait(sc__client_loop(queue->client), make_timer, e);
    if (!e->timer) {
        err = SC_ENOMEM;
        goto out;
    }
    *ret_events = e;
    return SC_OK;
out:
    sc__blocking_free(e->blocking);
    sc_free(e);
    return err;
}

static void free_on_loop(void *arg)
{
    sc_events *e = arg;

    stop_on_loop(e);
    sc__timer_free(e->timer);
    sc__blocking_free(e->blocking);
}

void sc_events_free(sc_events *events)
{
    if (!events)
        return;
    sc__loop_run_wait(sc__client_loop(events->queue->client), free_on_loop, events);
    sc__event_decoder_release(&events->decoder);
    sc_free(events);
}

sc_err sc_events_publish(sc_queue *queue, sc_slice name, const sc_event_field *fields, size_t count,
                         int64_t max_len, sc_reason *ret_reason)
{
    return sc__op_publish_event(queue->client, &queue->keys, name, fields, count, max_len,
                                ret_reason);
}
