#include "stalled.h"

#include "ops/op_lock.h"
#include "telling.h"

enum {
    NAMED_MAX = 20, /* jobs named one by one in the log */
    TOLD_MAX = 64   /* jobs an event */
};

static void check(sc__stalled *s, int64_t place);

static void tell_events(const sc__core *core, const sc_reply *ids, size_t count)
{
    sc_slice some[TOLD_MAX];

    for (size_t at = 0; at < count && sc__is_heard(core); at += TOLD_MAX) {
        size_t n = count - at < TOLD_MAX ? count - at : TOLD_MAX;

        for (size_t i = 0; i < n; i++)
            some[i] = ids[at + i].str;
        sc__tell(core, (sc_worker_event){.kind = SC_WORKER_STALLED, .ids = some, .id_count = n});
    }
}

static void tell(sc__core *core, const sc_reply *ids, size_t count)
{
    tell_events(core, ids, count);
    atomic_fetch_add(&core->stats.stalled, count);
    for (size_t i = 0; i < count && i < NAMED_MAX; i++)
        sc__core_log(core, SC_LOG_WARN, "job %.*s was stalled: its worker is gone",
                     (int)(ids[i].str.len < 200 ? ids[i].str.len : 200), ids[i].str.ptr);
    if (count > NAMED_MAX)
        sc__core_log(core, SC_LOG_WARN, "%zu more jobs were stalled", count - NAMED_MAX);
}

static void on_checked(void *user, sc_err err, const sc_reply *reply)
{
    sc__stalled *s = user;
    const sc_reply *ids;
    sc_reason why = {""};
    int64_t place = SC__STALLED_END;
    size_t count;

    s->calling = false;
    sc__core_call_ended(s->core);
    if (!err)
        err = sc__move_stalled_read(reply, &place, &ids, &count, &why);
    if (err)
        sc__core_log(s->core, SC_LOG_WARN, "stalled jobs can't be looked for: %s",
                     why.text[0] ? why.text : sc_err_text(err));
    else
        tell(s->core, ids, count);
    if (s->started && place != SC__STALLED_END)
        check(s, place);
}

static void check(sc__stalled *s, int64_t place)
{
    const sc_worker_opts *opts = &s->core->opts;
    sc_err err;

    s->calling = true;
    s->core->calls++;
    err = sc__op_move_stalled(s->core->client, &s->core->keys, opts->max_stalled,
                              opts->stalled_interval_ms, place, on_checked, s);
    if (err) {
        s->calling = false;
        sc__core_call_ended(s->core);
        sc__core_log(s->core, SC_LOG_WARN, "stalled jobs can't be looked for: %s",
                     sc_err_text(err));
    }
}

static void on_timer(void *arg)
{
    sc__stalled *s = arg;

    sc__timer_start(s->timer, s->core->opts.stalled_interval_ms);
    if (!s->calling)
        check(s, SC__STALLED_BEGIN);
}

sc_err sc__stalled_init(sc__stalled *s, sc__core *core)
{
    *s = (sc__stalled){.core = core};
    return sc__timer_new(core->loop, on_timer, s, &s->timer);
}

void sc__stalled_release(sc__stalled *s)
{
    sc__timer_free(s->timer);
    s->timer = NULL;
}

void sc__stalled_start(sc__stalled *s)
{
    if (s->core->opts.skip_stalled_check)
        return;
    s->started = true;
    sc__timer_start(s->timer, 0);
}

void sc__stalled_stop(sc__stalled *s)
{
    s->started = false;
    sc__timer_stop(s->timer);
}
