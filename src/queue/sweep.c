/* What touches many jobs of a queue, slice by slice. */
#include <storychain/control.h>

#include "base/clock.h"
#include "base/error.h"
#include "ops/op_control.h"
#include "ops/op_sweep.h"
#include "queue.h"

static const int64_t ALL = INT64_C(1) << 53; /* more jobs than there are, and later than any date */

/* A call under way: how many jobs it has done, and whom to tell. */
struct sweep {
    sc_queue *queue;
    const sc_sweep *told;
    int64_t done;
    sc_reason *ret_reason;
};

static sc_err add_done(struct sweep *s, int64_t count)
{
    s->done += count;
    if (s->told && s->told->on_progress && !s->told->on_progress(s->told->user, s->done))
        return sc__because(s->ret_reason, SC_ECANCELED, "cancelled after %lld jobs",
                           (long long)s->done);
    return SC_OK;
}

static sc_err end(const struct sweep *s, sc_err err, int64_t *ret_done)
{
    if (!err && ret_done)
        *ret_done = s->done;
    return err;
}

static sc_err check_limit(int64_t *limit, sc_reason *ret_reason)
{
    if (*limit < 0)
        return sc__because(ret_reason, SC_EINVAL, "the limit is %lld; 0 or more",
                           (long long)*limit);
    if (!*limit)
        *limit = ALL;
    return SC_OK;
}

static sc_err clean_place(struct sweep *s, sc__queue_key place, int64_t latest_ms, int64_t limit)
{
    sc__clean clean = {.place = place, .latest_ms = latest_ms, .most = limit};
    int64_t looked, removed;
    sc_err err;

    do {
        err = sc__op_clean_slice(s->queue->client, &s->queue->keys, &clean, &looked, &removed,
                                 s->ret_reason);
        if (err)
            return err;
        clean.skip += looked - removed;
        clean.most -= removed;
        err = add_done(s, removed);
    } while (!err && looked == SC__SWEEP_SLICE && clean.most > 0);
    return err;
}

sc_err sc_queue_drain(sc_queue *queue, bool delayed, const sc_sweep *sweep, int64_t *ret_removed,
                      sc_reason *ret_reason)
{
    struct sweep s = {.queue = queue, .told = sweep, .ret_reason = ret_reason};
    sc_err err = clean_place(&s, SC__KEY_WAIT, ALL, ALL);

    if (!err)
        err = clean_place(&s, SC__KEY_PAUSED, ALL, ALL);
    if (!err && delayed)
        err = clean_place(&s, SC__KEY_DELAYED, ALL, ALL);
    if (!err)
        err = clean_place(&s, SC__KEY_PRIORITIZED, ALL, ALL);
    return end(&s, err, ret_removed);
}

/* Where the jobs of a state are. False for those that are not cleaned. */
static bool place_of(sc_job_state state, sc__queue_key *ret_place)
{
    switch (state) {
    case SC_JOB_WAITING:
        *ret_place = SC__KEY_WAIT;
        return true;
    case SC_JOB_ACTIVE:
        *ret_place = SC__KEY_ACTIVE;
        return true;
    case SC_JOB_DELAYED:
        *ret_place = SC__KEY_DELAYED;
        return true;
    case SC_JOB_PRIORITIZED:
        *ret_place = SC__KEY_PRIORITIZED;
        return true;
    case SC_JOB_COMPLETED:
        *ret_place = SC__KEY_COMPLETED;
        return true;
    case SC_JOB_FAILED:
        *ret_place = SC__KEY_FAILED;
        return true;
    default:
        return false;
    }
}

sc_err sc_queue_clean(sc_queue *queue, sc_job_state state, int64_t grace_ms, int64_t limit,
                      const sc_sweep *sweep, int64_t *ret_removed, sc_reason *ret_reason)
{
    struct sweep s = {.queue = queue, .told = sweep, .ret_reason = ret_reason};
    sc__queue_key place;
    sc_err err, told;

    if (!place_of(state, &place))
        return sc__because(ret_reason, SC_EINVAL, "jobs of the state %s can't be cleaned",
                           sc_job_state_name(state));
    if (grace_ms < 0)
        return sc__because(ret_reason, SC_EINVAL, "the grace is %lld ms; 0 or more",
                           (long long)grace_ms);
    err = check_limit(&limit, ret_reason);
    if (err)
        return err;
    err = clean_place(&s, place, sc__wall_ms() - grace_ms, limit);
    if (err && err != SC_ECANCELED)
        return err;
    told = sc__op_emit_cleaned(queue->client, &queue->keys, s.done, err ? NULL : ret_reason);
    return end(&s, err ? err : told, ret_removed);
}

static sc_err move(struct sweep *s, sc__queue_key place, sc_slice highest, int64_t limit)
{
    int64_t moved;
    sc_err err;

    do {
        err = sc__op_move_slice(s->queue->client, &s->queue->keys, place, highest, limit, &moved,
                                s->ret_reason);
        if (err)
            return err;
        limit -= moved;
        err = add_done(s, moved);
    } while (!err && moved == SC__SWEEP_SLICE && limit > 0);
    return err;
}

sc_err sc_queue_retry_jobs(sc_queue *queue, sc_job_state state, int64_t before_ms, int64_t limit,
                           const sc_sweep *sweep, int64_t *ret_retried, sc_reason *ret_reason)
{
    struct sweep s = {.queue = queue, .told = sweep, .ret_reason = ret_reason};
    char digits[SC__INT_LEN];
    sc_slice highest;
    sc_err err = check_limit(&limit, ret_reason);

    if (err)
        return err;
    if (state != SC_JOB_FAILED && state != SC_JOB_COMPLETED)
        return sc__because(ret_reason, SC_EINVAL, "failed and completed jobs are retried, not %s",
                           sc_job_state_name(state));
    highest = (sc_slice){digits, sc__int_text(before_ms > 0 ? before_ms : sc__wall_ms(), digits)};
    err = move(&s, state == SC_JOB_FAILED ? SC__KEY_FAILED : SC__KEY_COMPLETED, highest, limit);
    return end(&s, err, ret_retried);
}

sc_err sc_queue_promote_jobs(sc_queue *queue, int64_t limit, const sc_sweep *sweep,
                             int64_t *ret_promoted, sc_reason *ret_reason)
{
    struct sweep s = {.queue = queue, .told = sweep, .ret_reason = ret_reason};
    sc_err err = check_limit(&limit, ret_reason);

    if (!err)
        err = move(&s, SC__KEY_DELAYED, SC_S("+inf"), limit);
    return end(&s, err, ret_promoted);
}

sc_err sc_queue_obliterate(sc_queue *queue, bool force, const sc_sweep *sweep, int64_t *ret_removed,
                           sc_reason *ret_reason)
{
    struct sweep s = {.queue = queue, .told = sweep, .ret_reason = ret_reason};
    int64_t removed = 1;
    sc_err err = sc__op_pause(queue->client, &queue->keys, ret_reason);

    while (!err && removed > 0) {
        err = sc__op_obliterate_slice(queue->client, &queue->keys, force, &removed, ret_reason);
        if (!err)
            err = add_done(&s, removed);
    }
    return end(&s, err, ret_removed);
}
