#include "link.h"

#include "base/clock.h"

enum { BEAT_MS = SC__LINK_SILENT_MS / 4, IDLE_BEATS_MAX = 8 };

static void on_changed(void *user, sc_slice key)
{
    sc__link *link = user;

    if (link->listener.changed)
        link->listener.changed(link->listener.user, key);
    sc__awaits_wake(&link->awaits, key);
}

static void on_all_changed(void *user)
{
    sc__link *link = user;

    if (link->listener.all_changed)
        link->listener.all_changed(link->listener.user);
    sc__awaits_wake_all(&link->awaits);
}

static void on_connection(void *user, bool connected)
{
    sc__link *link = user;

    if (connected)
        sc__link_heard(link, sc__mono_ms());
    else
        on_all_changed(link);
}

static void on_time(void *user, sc_err err, const sc_reply *reply)
{
    sc__link *link = user;

    link->is_asking = false;
    if (err)
        return;
    sc__client_note_time(link->client, reply, link->asked_ns);
    sc__link_heard(link, link->asked_ns / 1000000);
}

/* A reply, whatever it says, is word of the server; its time is welcome. */
static void ask(sc__link *link)
{
    static const sc_slice argv[] = {SC_S("TIME")};
    const sc__send_opts opts = {.timeout_ms = SC__LINK_SILENT_MS};

    link->asked_ns = sc__mono_ns();
    link->is_asking = true;
    if (sc__client_send(link->client, argv, 1, &opts, on_time, link))
        link->is_asking = false;
}

static bool is_silent_for(const sc__link *link, int64_t ms)
{
    return sc__mono_ms() - atomic_load(&link->heard_ms) >= ms;
}

static bool beat(void *arg)
{
    sc__link *link = arg;
    bool is_used = atomic_exchange(&link->is_used, false) || atomic_load(&link->awaits.count);

    link->idle_beats = is_used ? 0 : link->idle_beats + 1;
    if (is_silent_for(link, SC__LINK_SILENT_MS))
        sc__awaits_wake_all(&link->awaits); /* there may be nobody to tell them */
    if (!link->is_asking && is_silent_for(link, BEAT_MS))
        ask(link);
    return link->idle_beats < IDLE_BEATS_MAX;
}

sc_err sc__link_start(sc__link *link, const sc_client *like, sc_reason *ret_reason)
{
    sc_err err;

    *link = (sc__link){.tracking = {on_changed, on_all_changed, link, NULL},
                       .watch = {.cb = on_connection, .user = link}};
    atomic_init(&link->heard_ms, INT64_MIN / 2);
    sc__awaits_init(&link->awaits);
    err = sc__client_new_tracking(like, &link->tracking, &link->client, ret_reason);
    if (err) {
        sc__awaits_release(&link->awaits);
        return err;
    }
    sc__pulse_init(&link->pulse, sc__client_loop(link->client), BEAT_MS, beat, link);
    sc__client_watch_add(link->client, &link->watch);
    if (sc_client_is_connected(link->client))
        sc__link_heard(link,
                       sc__mono_ms()); /* it was faster than the watch; nothing was read yet */
    return SC_OK;
}

struct listening {
    sc__link *link;
    const sc__tracking *listener;
};

static void listen_on_loop(void *arg)
{
    struct listening *l = arg;

    l->link->listener = *l->listener;
}

void sc__link_listen(sc__link *link, const sc__tracking *listener)
{
    sc__loop_run_wait(sc__client_loop(link->client), listen_on_loop,
                      &(struct listening){link, listener});
}

void sc__link_stop(sc__link *link)
{
    sc__client_watch_remove(link->client, &link->watch);
    sc__pulse_release(&link->pulse);
    sc_client_free(link->client);
    sc__awaits_release(&link->awaits);
}

void sc__link_heard(sc__link *link, int64_t asked_ms)
{
    int_fast64_t before = atomic_load_explicit(&link->heard_ms, memory_order_relaxed);

    while (before < asked_ms && !atomic_compare_exchange_weak(&link->heard_ms, &before, asked_ms))
        ;
}

bool sc__link_is_heard_at(sc__link *link, int64_t mono_ms)
{
    if (!atomic_load_explicit(&link->is_used, memory_order_relaxed)) {
        atomic_store(&link->is_used, true);
        sc__pulse_wake(&link->pulse);
    }
    return sc__client_is_tracked(link->client) &&
           mono_ms - atomic_load_explicit(&link->heard_ms, memory_order_relaxed) <
               SC__LINK_SILENT_MS;
}

bool sc__link_is_heard(sc__link *link)
{
    return sc__link_is_heard_at(link, sc__mono_ms());
}
