#include "pubsub.h"

#include "base/clock.h"
#include "base/log.h"
#include "client.h"
#include "resp.h"

enum { COMMANDS_BYTES_MAX = 64 * 1024 * 1024 };

static void flush(sc__pubsub *p)
{
    if (!p->ready || !p->waiting.len || !sc__conn_can_write(p->conn))
        return;

    const sc__str sent = p->sending;

    p->sending = p->waiting;
    p->waiting = sent;
    sc__str_reset(&p->waiting);
    sc__conn_write(p->conn, &(uv_buf_t){.base = p->sending.ptr, .len = p->sending.len}, 1);
}

static void put(sc__pubsub *p, const char *command, sc_slice channel)
{
    const sc_slice argv[] = {sc_slice_of(command), channel};

    sc__resp_command_append(&p->waiting, argv, 2);
    if (p->waiting.err)
        sc__log(SC_LOG_ERROR, "no memory to listen to a channel");
}

static void call_heard(sc__subscription *s)
{
    s->is_heard = true;
    if (s->on_heard)
        s->on_heard(s->user);
}

static bool is_heard(const sc__pubsub *p, sc_slice channel)
{
    for (const sc__subscription *s = p->first; s; s = s->next)
        if (s->is_heard && sc_slice_eq(s->channel, channel))
            return true;
    return false;
}

static bool is_wanted(const sc__pubsub *p, sc_slice channel, const sc__subscription *until)
{
    for (const sc__subscription *s = p->first; s != until; s = s->next)
        if (sc_slice_eq(s->channel, channel))
            return true;
    return false;
}

static bool has_host(const sc__pubsub *p)
{
    for (const sc__subscription *s = p->first; s; s = s->next)
        if (!s->is_guest)
            return true;
    return false;
}

static void forget_conn(sc__pubsub *p)
{
    p->conn = NULL;
    p->ready = false;
    for (sc__subscription *s = p->first; s; s = s->next)
        s->is_heard = false;
    sc__str_reset(&p->waiting);
    sc__str_reset(&p->sending);
}

static void drop_conn(sc__pubsub *p)
{
    sc__conn_close(p->conn);
    forget_conn(p);
}

static void on_ready(void *user, const sc_server_info *info)
{
    sc__pubsub *p = user;

    (void)info;
    p->ready = true;
    sc__reconnect_up(&p->reconnect);
    for (sc__subscription *s = p->first; s; s = s->next)
        if (!is_wanted(p, s->channel, s))
            put(p, "SUBSCRIBE", s->channel);
    flush(p);
}

/* Calls those who listen to a channel: a message, or the news that it is heard. */
static void call(sc__pubsub *p, sc_slice channel, const sc_slice *message)
{
    for (sc__subscription *s = p->first; s; s = p->next) {
        p->next = s->next;
        if (!sc_slice_eq(s->channel, channel))
            continue;
        if (message)
            s->on_message(s->user, *message);
        else
            call_heard(s);
    }
    p->next = NULL;
}

/* By RESP3 they are pushes, by RESP2 arrays. */
static void on_reply(void *user, const sc_reply *reply, bool is_push)
{
    sc__pubsub *p = user;

    (void)is_push;
    if (reply->type == SC_REPLY_ERROR && !p->told_refused) {
        p->told_refused = true;
        sc__log(SC_LOG_WARN, "channels can't be heard: %.*s", (int)reply->str.len, reply->str.ptr);
    }
    if (reply->type == SC_REPLY_ERROR || reply->count < 3)
        return;
    if (sc_slice_eq(reply->items[0].str, SC_S("message")))
        call(p, reply->items[1].str, &reply->items[2].str);
    else if (sc_slice_eq(reply->items[0].str, SC_S("subscribe")))
        call(p, reply->items[1].str, NULL);
}

static void on_writable(void *user)
{
    flush(user);
}

static void plan(sc__pubsub *p)
{
    int64_t in_ms = p->not_before_ms - sc__mono_ms();

    sc__timer_start(p->timer, in_ms > 0 ? in_ms : 0);
}

static void on_ended(void *user, sc_err err, const char *text)
{
    sc__pubsub *p = user;

    (void)err;
    (void)text; /* the client's own connection meets the same, and tells */
    forget_conn(p);
    p->not_before_ms = sc__mono_ms() + sc__reconnect_next(&p->reconnect);
    if (has_host(p))
        plan(p);
}

static const sc__conn_events events = {on_ready, on_reply, on_writable, on_ended};

static void on_timer(void *arg)
{
    sc__pubsub *p = arg;

    if (p->conn || !has_host(p))
        return;
    if (sc__conn_open(sc__client_loop(p->client), sc__client_target(p->client), &events, p,
                      &p->conn)) {
        p->conn = NULL;
        p->not_before_ms = sc__mono_ms() + sc__reconnect_next(&p->reconnect);
        plan(p);
    }
}

struct change {
    sc__pubsub *pubsub;
    sc__subscription *subscription;
};

static void add(void *arg)
{
    struct change *c = arg;
    sc__pubsub *p = c->pubsub;
    bool wanted = is_wanted(p, c->subscription->channel, NULL);
    bool heard = is_heard(p, c->subscription->channel);

    c->subscription->is_heard = false;
    c->subscription->next = p->first;
    p->first = c->subscription;
    if (!p->conn && !c->subscription->is_guest)
        plan(p);
    if (p->ready && !wanted)
        put(p, "SUBSCRIBE", c->subscription->channel);
    flush(p);
    if (heard)
        call_heard(c->subscription);
}

static void end(void *arg)
{
    struct change *c = arg;
    sc__pubsub *p = c->pubsub;
    sc__subscription **at = &p->first;

    while (*at && *at != c->subscription)
        at = &(*at)->next;
    if (!*at)
        return;
    *at = c->subscription->next;
    if (p->next == c->subscription)
        p->next = c->subscription->next;
    if (!has_host(p)) {
        drop_conn(p);
        return;
    }
    if (p->ready && !is_wanted(p, c->subscription->channel, NULL))
        put(p, "UNSUBSCRIBE", c->subscription->channel);
    flush(p);
}

void sc__client_subscribe(sc_client *client, sc__subscription *subscription)
{
    sc__loop_run_wait(sc__client_loop(client), add,
                      &(struct change){sc__client_pubsub(client), subscription});
}

void sc__client_unsubscribe(sc_client *client, sc__subscription *subscription)
{
    sc__loop_run_wait(sc__client_loop(client), end,
                      &(struct change){sc__client_pubsub(client), subscription});
}

sc_err sc__pubsub_start(sc__pubsub *p, sc_client *client)
{
    *p = (sc__pubsub){.client = client,
                      .waiting = STR_MAX(COMMANDS_BYTES_MAX),
                      .sending = STR_MAX(COMMANDS_BYTES_MAX)};
    return sc__timer_new(sc__client_loop(client), on_timer, p, &p->timer);
}

void sc__pubsub_move(sc__pubsub *p)
{
    drop_conn(p);
    p->not_before_ms = 0;
    if (has_host(p))
        plan(p);
}

void sc__pubsub_stop(sc__pubsub *p)
{
    for (sc__subscription *s = p->first; s; s = p->first) {
        p->first = s->next;
        if (s->on_closed)
            s->on_closed(s->user);
    }
    sc__conn_close(p->conn);
    sc__timer_free(p->timer);
    sc__str_release(&p->waiting);
    sc__str_release(&p->sending);
    *p = (sc__pubsub){.client = NULL};
}
