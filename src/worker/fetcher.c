#include "fetcher.h"

#include <stdio.h>

#include "base/clock.h"
#include "redis/reply.h"

/* After a watch that broke off markers are left twice: the first time the server may hand them to our own connection, not
 * knowing yet that it is closed. */
enum { PAUSE_FIRST_MS = 50, PAUSE_LONGEST_MS = 2000, LEAVES = 2 };

static void take(sc__fetcher *f, size_t wanted, bool leave_delay_marker);
static void leave_markers(sc__fetcher *f);
static void watch(sc__fetcher *f);
static void find_next_lost(sc__fetcher *f);

/* Wakes us at the nearest of the dates that we wait for. Each may have come by now, without on_timer() having seen it. */
static void plan(sc__fetcher *f)
{
    const int64_t dates[] = {f->due_at, f->marker_due_at, f->pause_until, f->core->rest_until};
    int64_t next = INT64_MAX;

    if (f->given_up)
        return;
    for (size_t i = 0; i < sizeof(dates) / sizeof(*dates); i++)
        if (dates[i] && dates[i] < next)
            next = dates[i];
    if (next == INT64_MAX)
        sc__timer_stop(f->timer);
    else
        sc__timer_start(f->timer, next - sc__mono_ms());
}

static void failed(sc__fetcher *f, const char *what, sc_err err, const sc_reason *why)
{
    int64_t pause = PAUSE_FIRST_MS << (f->failures < 6 ? f->failures : 6);

    if (f->failures == 0)
        sc__core_log(f->core, SC_LOG_WARN, "%s: %s", what,
                     why->text[0] ? why->text : sc_err_text(err));
    f->failures++;
    f->pause_until = sc__mono_ms() + (pause < PAUSE_LONGEST_MS ? pause : PAUSE_LONGEST_MS);
    plan(f);
}

static void succeeded(sc__fetcher *f)
{
    if (f->failures)
        sc__core_log(f->core, SC_LOG_INFO, "jobs are taken again");
    f->failures = 0;
    f->pause_until = 0;
    find_next_lost(f); /* the timer that would have done so after the pause may be set anew now */
}

/* A date of the server in our clock's ms. */
static int64_t in_our_time(const sc__fetcher *f, int64_t server_ms)
{
    int64_t ms = server_ms - f->core->server_lead;

    return ms > 0 ? ms : 1;
}

void sc__fetcher_heard(sc__fetcher *f, const sc__taken *taken, size_t wanted)
{
    bool more = taken->due_ms && taken->due_ms <= taken->now_ms;

    sc__core_heard(f->core, taken);
    f->due_at = taken->due_ms ? in_our_time(f, taken->due_ms) : 0;
    plan(f);
    if (more)
        f->pass_on = true;
    /* With nothing asked for, nothing is known about what is left. */
    if (more || taken->count == wanted) {
        sc__fetcher_poke(f);
        return;
    }
    f->on_empty(f->core);
    watch(f);
}

static void on_take(void *user, sc_err err, const sc_reply *reply)
{
    sc__fetcher *f = user;
    size_t wanted = f->wanted;
    sc_reason why = {""};
    sc__taken taken;

    f->calling = false;
    sc__core_call_ended(f->core);
    if (!err)
        err = sc__taken_read(reply, &taken, &why);
    if (err) {
        if (wanted && sc__may_have_run(err))
            sc__fetcher_find_lost(f, &f->token, wanted);
        else
            f->core->asked -= wanted;
        failed(f, "no jobs can be taken", err, &why);
        return;
    }
    succeeded(f);
    if (!f->marker_is_new)
        f->marker_due_at = 0;
    f->core->asked -= wanted;
    f->on_taken(f->core, &taken, &f->token, true);
    sc__fetcher_heard(f, &taken, wanted);
    if (f->leaves && !f->calling)
        leave_markers(f);
    else if (f->again)
        sc__fetcher_poke(f);
}

static void take(sc__fetcher *f, size_t wanted, bool leave_delay_marker)
{
    sc__core *core = f->core;
    sc_err err;

    f->wanted = wanted;
    f->again = f->pass_on = f->marker_is_new = false;
    f->calling = true;
    core->asked += wanted;
    core->calls++;
    sc__core_next_token(core, &f->token);
    err = sc__op_take(core->client, &core->work, sc__lock_token_slice(&f->token), wanted,
                      leave_delay_marker, on_take, f);
    if (err) {
        f->calling = false;
        sc__core_call_ended(core);
        core->asked -= wanted;
        failed(f, "no jobs can be taken", err, &(sc_reason){""});
    }
}

/* Leaves the markers that may have come to us, for others. */
static void leave_markers(sc__fetcher *f)
{
    f->leaves--;
    take(f, 0, true);
}

/* True once, when the date has come. */
static bool came(int64_t *date, int64_t now)
{
    if (!*date || *date > now)
        return false;
    *date = 0;
    return true;
}

void sc__fetcher_poke(sc__fetcher *f)
{
    int64_t now = sc__mono_ms();
    size_t room = sc__core_room(f->core);

    if ((int)came(&f->due_at, now) | (int)came(&f->marker_due_at, now)) /* each is asked */
        f->pass_on = true;
    if (f->calling) {
        f->again = true;
        return;
    }
    if (now < f->pause_until || !f->core->taking)
        return;
    if (room || f->pass_on)
        take(f, room, false);
}

static void on_timer(void *arg)
{
    sc__fetcher *f = arg;
    int64_t now = sc__mono_ms();

    came(&f->pause_until, now);
    came(&f->core->rest_until, now);
    find_next_lost(f);
    sc__fetcher_poke(f);
    plan(f);
}

/* Leaves for others what we hold; `leaves` times, or once. */
static void leave_all(sc__fetcher *f, int leaves)
{
    if (f->holds_delay_marker && !leaves)
        leaves = 1;
    f->holds_delay_marker = false;
    if (!leaves || !sc_client_is_connected(f->core->client))
        return;
    f->leaves = leaves;
    if (!f->calling)
        leave_markers(f);
}

static void note_due(sc__fetcher *f, const sc__marker *marker)
{
    if (!marker->due_ms)
        return;
    f->holds_delay_marker = true;
    f->marker_due_at = in_our_time(f, marker->due_ms);
    f->marker_is_new = true;
    plan(f);
}

static sc_err hear_marker(sc__fetcher *f, const sc_reply *reply)
{
    sc_reason why = {""};
    sc__marker marker;
    sc_err err = sc__marker_read(reply, &marker, &why);

    if (err) {
        failed(f, "the queue's marker can't be watched", err, &why);
        return err;
    }
    note_due(f, &marker);
    return SC_OK;
}

/* No answer to the take. */
static void watch_broke(sc__fetcher *f, sc_err err, const sc_reason *why)
{
    if (sc__may_have_run(err))
        sc__fetcher_find_lost(f, &f->watch_token, f->watch_wanted);
    else
        f->core->asked -= f->watch_wanted;
    if (!f->core->taking)
        leave_all(f, LEAVES);
    else
        failed(f, "the queue's marker can't be watched", err, why);
}

static void watch_took(sc__fetcher *f, const sc__taken *taken)
{
    sc__core *core = f->core;

    core->asked -= f->watch_wanted;
    f->on_taken(core, taken, &f->watch_token, true);
    if (!core->taking) {
        sc__core_heard(core, taken);
        plan(f);
        leave_all(f, 0);
        return;
    }
    if (!f->marker_err)
        succeeded(f);
    sc__fetcher_heard(f, taken, f->watch_wanted);
}

static void on_watched(void *user, sc_err err, const sc_reply *reply)
{
    sc__fetcher *f = user;
    sc_reason why = {""};
    sc__taken taken;

    if (!err && !f->marker_heard) {
        f->marker_heard = true;
        f->marker_err = hear_marker(f, reply);
        return;
    }
    f->watching = false;
    f->core->watched = 0;
    sc__core_call_ended(f->core);
    if (!err && sc__reply_is_error(reply, "NOSCRIPT")) {
        /* That connection loads no scripts. The next take brings ours back. */
        f->core->asked -= f->watch_wanted;
        f->pass_on = true;
        sc__fetcher_poke(f);
        return;
    }
    if (!err)
        err = sc__taken_read(reply, &taken, &why);
    if (err)
        watch_broke(f, err, &why);
    else
        watch_took(f, &taken);
}

/* The marker of a shared connection. */
static void on_seat(void *user, const sc__marker *marker)
{
    sc__fetcher *f = user;
    bool is_now = marker->popped && !marker->due_ms;

    f->watching = false;
    sc__core_call_ended(f->core);
    note_due(f, marker);
    if (!f->core->taking) {
        leave_all(f, is_now);
    } else if (marker->due_ms) {
        watch(f);
    } else {
        f->pass_on |= is_now;
        sc__fetcher_poke(f);
    }
}

static void watch_shared(sc__fetcher *f)
{
    f->watching = true;
    f->core->calls++;
    sc__hub_wait(&f->seat, f->core->opts.drain_delay_ms);
}

static void watch(sc__fetcher *f)
{
    sc__core *core = f->core;
    size_t room = sc__core_room(core);
    sc_err err;

    if (f->watching || f->calling || !room || sc__mono_ms() < f->pause_until)
        return;
    if (!f->blocking) {
        watch_shared(f);
        return;
    }
    f->watching = true;
    f->marker_heard = false;
    f->watch_wanted = core->watched = room;
    core->asked += room;
    core->calls++;
    sc__core_next_token(core, &f->watch_token);
    err = sc__op_watch(f->blocking, &core->work, sc__lock_token_slice(&f->watch_token), room,
                       core->opts.drain_delay_ms, on_watched, f);
    if (err) {
        f->watching = false;
        core->watched = 0;
        sc__core_call_ended(core);
        core->asked -= room;
        failed(f, "the queue's marker can't be watched", err, &(sc_reason){""});
    }
}

static void on_found(void *user, sc_err err, const sc_reply *reply)
{
    sc__fetcher *f = user;
    sc__lost_call lost = f->lost[0];
    sc_reason why = {""};
    sc__taken taken;

    f->finding = false;
    sc__core_call_ended(f->core);
    if (!err)
        err = sc__taken_read(reply, &taken, &why);
    if (err) {
        failed(f, "jobs of a lost answer can't be looked for", err, &why);
        return;
    }
    f->lost_count--;
    memmove(f->lost, f->lost + 1, f->lost_count * sizeof(*f->lost));
    f->core->asked -= lost.wanted;
    if (taken.count)
        sc__core_log(f->core, SC_LOG_INFO, "%zu jobs of a lost answer were found again",
                     taken.count);
    f->on_taken(f->core, &taken, &lost.token, false);
    find_next_lost(f);
    sc__fetcher_poke(f);
}

static void find_next_lost(sc__fetcher *f)
{
    sc__core *core = f->core;
    sc_err err;

    if (f->finding || f->given_up || !f->lost_count || sc__mono_ms() < f->pause_until)
        return;
    f->finding = true;
    core->calls++;
    err = sc__op_find_taken(core->client, &core->work, sc__lock_token_slice(&f->lost[0].token),
                            on_found, f);
    if (err) {
        f->finding = false;
        sc__core_call_ended(core);
        failed(f, "jobs of a lost answer can't be looked for", err, &(sc_reason){""});
    }
}

void sc__fetcher_find_lost(sc__fetcher *f, const sc__lock_token *token, size_t wanted)
{
    if (f->lost_count == SC__LOST_CALLS_MAX) {
        /* The check for stalled jobs finds them, later. */
        f->core->asked -= wanted;
        return;
    }
    f->lost[f->lost_count++] = (sc__lost_call){*token, wanted};
    find_next_lost(f);
}

void sc__fetcher_want_less(sc__fetcher *f, size_t wanted)
{
    if (f->watching && f->blocking && f->watch_wanted > wanted)
        sc__blocking_hurry(f->blocking);
}

void sc__fetcher_stop(sc__fetcher *f)
{
    if (f->watching && f->blocking)
        sc__blocking_hurry(f->blocking);
    else if (f->watching)
        sc__hub_hurry(&f->seat);
    else
        leave_all(f, 0);
}

void sc__fetcher_give_up(sc__fetcher *f)
{
    sc__timer_stop(f->timer);
    f->given_up = true;
    f->lost_count = f->finding ? 1 : 0;
}

sc_err sc__fetcher_init(sc__fetcher *f, sc__core *core, sc_slice connection_name)
{
    sc_err err;

    *f = (sc__fetcher){.core = core};
    err = sc__timer_new(core->loop, on_timer, f, &f->timer);
    if (err)
        return err;
    if (!core->opts.share_connection)
        return sc__blocking_new(core->client, connection_name, &f->blocking);
    f->seat = (sc__seat){.key = core->keys.key[SC__KEY_MARKER], .cb = on_seat, .user = f};
    return sc__hub_join(core->client, connection_name, &f->seat);
}

void sc__fetcher_release(sc__fetcher *f)
{
    sc__timer_free(f->timer);
    if (f->blocking)
        sc__blocking_free(f->blocking);
    sc__hub_leave(&f->seat);
    f->timer = NULL;
    f->blocking = NULL;
}
