/* Removing jobs that are in no state: looks through the queue's keys, and lets a script decide about each job that may be one. */
#include <storychain/control.h>

#include "base/error.h"
#include "id_set.h"
#include "ops/op_get.h"
#include "ops/op_sweep.h"
#include "queue.h"

static const int64_t ALL = INT64_C(1) << 53; /* more jobs than there are */

struct hunt {
    sc_queue *queue;
    const sc_sweep *told;
    sc__id_set living; /* ids that need no look: of jobs that wait or run */
    sc__id_set found;  /* ids that may be orphans' */
    int64_t removed, limit;
    sc_reason *ret_reason;
};

/* Names in a queue that are no ids of jobs, beside those of its keys: what stands before the first ':' of a key. */
static bool is_taken(const sc_queue *queue, sc_slice name)
{
    static const char *const others[] = {"de", "dn", "delay", "priority", "metrics", "sc"};

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (sc_slice_eq(name, sc_slice_of(others[i])))
            return true;
    for (size_t i = 0; i < SC__QUEUE_KEY_COUNT; i++) {
        sc_slice key = queue->keys.key[i];
        sc_slice suffix = {key.ptr + queue->keys.base.len, key.len - queue->keys.base.len};

        if (sc_slice_eq(name, suffix))
            return true;
    }
    return false;
}

static bool is_of_a_job(sc_slice suffix)
{
    static const char *const known[] = {"logs",   "dependencies", "processed",
                                        "failed", "unsuccessful", "lock"};

    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (sc_slice_eq(suffix, sc_slice_of(known[i])))
            return true;
    return false;
}

/* The id of the job that a key belongs to; empty: it is no job's. */
static sc_slice id_of(const sc_queue *queue, sc_slice key)
{
    sc_slice name = {key.ptr + queue->keys.base.len, key.len - queue->keys.base.len};
    const char *colon = name.len ? memchr(name.ptr, ':', name.len) : NULL;

    if (colon) {
        sc_slice rest = {colon + 1, (size_t)(name.ptr + name.len - colon - 1)};

        if (!is_of_a_job(rest))
            return (sc_slice){NULL, 0};
        name.len = (size_t)(colon - name.ptr);
    }
    return is_taken(queue, name) ? (sc_slice){NULL, 0} : name;
}

static sc_err tell(const struct hunt *h)
{
    if (h->told && h->told->on_progress && !h->told->on_progress(h->told->user, h->removed))
        return sc__because(h->ret_reason, SC_ECANCELED, "cancelled after %lld jobs",
                           (long long)h->removed);
    return SC_OK;
}

/* Lets the script decide about those that were found. */
static sc_err look(struct hunt *h)
{
    sc_err err = SC_OK;
    size_t at = 0;

    sc__id_set_sort(&h->found);
    while (!err && at < h->found.count && h->removed < h->limit) {
        int64_t left = h->limit - h->removed, removed;
        size_t some = h->found.count - at, looked;

        if ((int64_t)some > left)
            some = (size_t)left;
        err = sc__op_remove_orphans(h->queue->client, &h->queue->keys, h->found.items + at, some,
                                    &looked, &removed, h->ret_reason);
        if (err)
            return err;
        at += looked;
        h->removed += removed;
        err = tell(h);
    }
    sc__id_set_clear(&h->found);
    return err;
}

static sc_err on_key(void *user, sc_slice key)
{
    struct hunt *h = user;
    sc_slice id = id_of(h->queue, key);
    sc_err err;

    if (!id.len || h->removed >= h->limit || sc__id_set_has(&h->living, id))
        return SC_OK;
    err = sc__id_set_add(&h->found, id);
    if (err)
        return sc__because(h->ret_reason, err, "the ids of orphans: %s", sc_err_text(err));
    return h->found.count < SC__SWEEP_SLICE ? SC_OK : look(h);
}

/* The ids in a list. Some may be missed while others come and go: the script sees them. */
static sc_err read_list(struct hunt *h, sc_job_state state)
{
    sc_err err = SC_OK;
    size_t count = SC__PAGE_MAX;

    for (int64_t at = 0; !err && count == SC__PAGE_MAX && at < SC__LIST_REACH; at += SC__PAGE_MAX) {
        sc_reply *reply = NULL;

        err = sc__op_get_ids(h->queue->client, &h->queue->keys, state, at, -1, false, &reply,
                             h->ret_reason);
        count = err ? 0 : reply->count;
        for (size_t i = 0; !err && i < count; i++)
            err = sc__id_set_add(&h->living, reply->items[i].str);
        if (err && count)
            sc__because(h->ret_reason, err, "the ids of living jobs: %s", sc_err_text(err));
        sc_reply_free(reply);
    }
    return err;
}

sc_err sc_queue_remove_orphans(sc_queue *queue, int64_t limit, const sc_sweep *sweep,
                               int64_t *ret_removed, sc_reason *ret_reason)
{
    struct hunt h = {
        .queue = queue, .told = sweep, .limit = limit ? limit : ALL, .ret_reason = ret_reason};
    sc_err err;

    if (limit < 0)
        return sc__because(ret_reason, SC_EINVAL, "the limit is %lld; 0 or more", (long long)limit);
    sc__id_set_init(&h.living, 2 * (SC__LIST_REACH + SC__PAGE_MAX));
    sc__id_set_init(&h.found, SC__SWEEP_SLICE);
    err = read_list(&h, SC_JOB_WAITING);
    if (!err)
        err = read_list(&h, SC_JOB_ACTIVE);
    sc__id_set_sort(&h.living);
    if (!err)
        err = sc__op_each_key(queue->client, queue->keys.base, on_key, &h, ret_reason);
    if (!err)
        err = look(&h);
    sc__id_set_release(&h.living);
    sc__id_set_release(&h.found);
    if (!err && ret_removed)
        *ret_removed = h.removed;
    return err;
}
