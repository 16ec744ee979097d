#include "hub.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/timer.h"
#include "redis/client.h"

enum {
    KEYS_PER_MS = 250, /* a call is not sent anew before its keys were worth it */
    PAUSE_FIRST_MS = 50,
    PAUSE_LONGEST_MS = 2000,
    REFUSED_PAUSE_MS =
        1000 /* the marker of one queue is no set: until then all ask by themselves */
};

struct sc__hub {
    sc_client *client;
    sc__blocking *blocking;
    sc__timer *timer;
    sc__seat *first, *last, *due;
    size_t seats;
    bool calling, telling, ending;
    int64_t not_before_ms; /* mono; of the next call, or of the end of the one under way */
    int failures;
    sc_slice *argv; /* of a call of all seats */
};

static void go_on(sc__hub *h);

static size_t waiting(const sc__hub *h, bool outside)
{
    size_t count = 0;

    for (const sc__seat *s = h->first; s; s = s->next)
        count += s->waits && !(outside && s->in_call);
    return count;
}

static void tell_trouble(sc__hub *h, sc_err err, const char *why)
{
    int64_t pause = PAUSE_FIRST_MS << (h->failures < 6 ? h->failures : 6);

    if (err == SC_ECANCELED)
        return;
    if (h->failures++ == 0)
        sc__log(SC_LOG_WARN, "workers: the markers of %zu queues can't be watched: %s", h->seats,
                why[0] ? why : sc_err_text(err));
    if (err == SC_EREPLY)
        pause = REFUSED_PAUSE_MS;
    h->not_before_ms = sc__mono_ms() + (pause < PAUSE_LONGEST_MS ? pause : PAUSE_LONGEST_MS);
}

static void make_due(sc__hub *h, sc__seat *seat)
{
    seat->waits = false;
    seat->is_due = true;
    seat->next_due = h->due;
    h->due = seat;
}

/* A marker that no one waits for any more is the seat's all the same: who had it popped must leave it again. */
static sc__seat *owner_of(sc__hub *h, const sc__marker *marker)
{
    if (!marker->popped)
        return NULL;
    for (sc__seat *s = h->first; s; s = s->next)
        if (s->waits && sc_slice_eq(s->key, marker->key))
            return s;
    return NULL;
}

static void tell(sc__hub *h, const sc__marker *marker)
{
    sc__seat *owner = owner_of(h, marker);
    int64_t now = sc__mono_ms();

    for (sc__seat *s = h->first; s; s = s->next) {
        s->in_call = false;
        if (s->waits && (s == owner || s->until_ms <= now))
            make_due(h, s);
    }
    h->telling = true;
    while (h->due) {
        sc__seat *seat = h->due;

        h->due = seat->next_due;
        seat->is_due = false;
        seat->cb(seat->user, seat == owner ? marker : &(sc__marker){.popped = false});
    }
    h->telling = false;
}

static void end_hub(sc__hub *h)
{
    h->ending = true;
    *sc__client_hub(h->client) = NULL;
    sc__timer_free(h->timer);
    if (h->blocking)
        sc__blocking_free(h->blocking);
    sc_free(h->argv);
    sc_free(h);
}

static void on_reply(void *user, sc_err err, const sc_reply *reply)
{
    sc__hub *h = user;
    sc__marker marker = {.popped = false};
    sc_reason why = {""};

    h->calling = false;
    if (h->ending)
        return;
    if (!err)
        err = sc__marker_read(reply, &marker, &why);
    if (err) {
        tell_trouble(h, err, why.text);
    } else {
        if (h->failures)
            sc__log(SC_LOG_INFO, "workers: the markers are watched again");
        h->failures = 0;
    }
    tell(h, &marker);
    if (h->seats)
        go_on(h);
    else
        end_hub(h);
}

/* In another order each time, for the server gives the first marker that is there. */
static void turn(sc__hub *h)
{
    sc__seat *seat = h->first;

    if (seat == h->last)
        return;
    h->first = seat->next;
    h->last->next = seat;
    h->last = seat;
    seat->next = NULL;
}

static void call(sc__hub *h, int64_t now)
{
    int64_t until = INT64_MAX, block_ms;
    size_t argc = 0;
    sc_err err;

    turn(h);
    for (sc__seat *s = h->first; s; s = s->next) {
        if (!s->waits)
            continue;
        h->argv[1 + argc++] = s->key;
        s->in_call = true;
        if (s->until_ms < until)
            until = s->until_ms;
    }
    block_ms = until > now ? until - now : 1;
    h->calling = true;
    h->not_before_ms = now + (int64_t)argc / KEYS_PER_MS;
    err = sc__op_watch_many(h->blocking, h->argv, argc, block_ms, on_reply, h);
    if (err) {
        h->calling = false;
        for (sc__seat *s = h->first; s; s = s->next)
            s->in_call = false;
        tell_trouble(h, err, "");
        sc__timer_start(h->timer, h->not_before_ms - now);
    }
}

/* Sends the call, or has the one under way answered when others have begun to wait. */
static void go_on(sc__hub *h)
{
    int64_t now = sc__mono_ms();

    if (h->telling || !waiting(h, h->calling))
        return;
    if (h->not_before_ms > now)
        sc__timer_start(h->timer, h->not_before_ms - now);
    else if (h->calling)
        sc__blocking_hurry(h->blocking);
    else
        call(h, now);
}

static void on_timer(void *arg)
{
    sc__hub *h = arg;
    int64_t now = sc__mono_ms();

    /* While the server is away waits end all the same, so that each worker sees for itself. */
    if (!h->calling && h->not_before_ms > now)
        tell(h, &(sc__marker){.popped = false});
    if (h->seats)
        go_on(h);
    else
        end_hub(h);
}

static sc_err make_hub(sc_client *client, sc_slice name, sc__hub **ret_hub)
{
    sc__hub *h = sc__calloc(1, sizeof(*h));
    sc_err err;

    if (!h)
        return SC_ENOMEM;
    h->client = client;
    err = sc__timer_new(sc__client_loop(client), on_timer, h, &h->timer);
    if (!err)
        err = sc__blocking_new(client, name, &h->blocking);
    *sc__client_hub(client) = h;
    if (err)
        end_hub(h);
    else
        *ret_hub = h;
    return err;
}

sc_err sc__hub_join(sc_client *client, sc_slice name, sc__seat *seat)
{
    sc__hub *h = *sc__client_hub(client);
    sc_slice *argv;
    sc_err err = h ? SC_OK : make_hub(client, name, &h);

    if (err)
        return err;
    argv = sc__realloc(h->argv, (h->seats + 3) * sizeof(*argv));
    if (!argv) {
        if (!h->seats)
            end_hub(h);
        return SC_ENOMEM;
    }
    h->argv = argv;
    h->seats++;
    seat->hub = h;
    if (h->last)
        h->last->next = seat;
    else
        h->first = seat;
    h->last = seat;
    return SC_OK;
}

static void unlink_seat(sc__hub *h, sc__seat *seat)
{
    sc__seat *before = NULL, **due = &h->due;

    for (sc__seat *s = h->first; s != seat; s = s->next)
        before = s;
    if (before)
        before->next = seat->next;
    else
        h->first = seat->next;
    if (h->last == seat)
        h->last = before;
    while (seat->is_due && *due != seat)
        due = &(*due)->next_due;
    if (seat->is_due)
        *due = seat->next_due;
}

void sc__hub_leave(sc__seat *seat)
{
    sc__hub *h = seat->hub;

    if (!h)
        return;
    unlink_seat(h, seat);
    seat->hub = NULL;
    h->seats--;
    if (!h->seats && !h->telling)
        end_hub(h);
}

void sc__hub_wait(sc__seat *seat, int64_t block_ms)
{
    seat->waits = true;
    seat->until_ms = sc__mono_ms() + block_ms;
    go_on(seat->hub);
}

void sc__hub_hurry(sc__seat *seat)
{
    sc__hub *h = seat->hub;

    if (!seat->waits)
        return;
    seat->until_ms = 0;
    if (seat->in_call) {
        sc__blocking_hurry(h->blocking);
        return;
    }
    seat->waits = false;
    seat->cb(seat->user, &(sc__marker){.popped = false});
}
