#include "pubsub.h"

#include "base/log.h"
#include "client.h"

/* A refusal is an error in its place among the replies; what is granted comes as a push. */
static void on_answer(void *user, sc_err err, const sc_reply *reply)
{
    (void)user;
    if (!err && reply->type == SC_REPLY_ERROR)
        sc__log(SC_LOG_WARN, "channels can't be heard: %.*s", (int)reply->str.len, reply->str.ptr);
}

static void send_for(sc__pubsub *p, sc_slice command, sc_slice channel)
{
    const sc_slice argv[] = {command, channel};
    sc_err err = sc__client_send(p->client, argv, 2, NULL, on_answer, p);

    if (err)
        sc__log(SC_LOG_WARN, "channels can't be heard: %s", sc_err_text(err));
}

static bool is_heard(const sc__pubsub *p, sc_slice channel, const sc__subscription *until)
{
    for (const sc__subscription *s = p->first; s != until; s = s->next)
        if (sc_slice_eq(s->channel, channel))
            return true;
    return false;
}

struct change {
    sc__pubsub *pubsub;
    sc__subscription *subscription;
};

static void add(void *arg)
{
    struct change *c = arg;
    sc__pubsub *p = c->pubsub;
    bool heard = is_heard(p, c->subscription->channel, NULL);

    c->subscription->next = p->first;
    p->first = c->subscription;
    if (p->can_hear && !heard)
        send_for(p, SC_S("SUBSCRIBE"), c->subscription->channel);
}

static void drop(void *arg)
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
    if (p->can_hear && !is_heard(p, c->subscription->channel, NULL))
        send_for(p, SC_S("UNSUBSCRIBE"), c->subscription->channel);
}

void sc__client_subscribe(sc_client *client, sc__subscription *subscription)
{
    sc__loop_run_wait(sc__client_loop(client), add,
                      &(struct change){sc__client_pubsub(client), subscription});
}

void sc__client_unsubscribe(sc_client *client, sc__subscription *subscription)
{
    sc__loop_run_wait(sc__client_loop(client), drop,
                      &(struct change){sc__client_pubsub(client), subscription});
}

void sc__pubsub_up(sc__pubsub *p, bool resp3)
{
    p->can_hear = resp3;
    for (sc__subscription *s = p->first; s && resp3; s = s->next)
        if (!is_heard(p, s->channel, s))
            send_for(p, SC_S("SUBSCRIBE"), s->channel);
}

void sc__pubsub_down(sc__pubsub *p)
{
    p->can_hear = false;
}

static void deliver(sc__pubsub *p, sc_slice channel, sc_slice message)
{
    for (sc__subscription *s = p->first; s; s = p->next) {
        p->next = s->next;
        if (sc_slice_eq(s->channel, channel))
            s->on_message(s->user, message);
    }
}

bool sc__pubsub_push(sc__pubsub *p, const sc_reply *push)
{
    sc_slice kind = push->count ? push->items[0].str : (sc_slice){NULL, 0};

    if (sc_slice_eq(kind, SC_S("message")) && push->count >= 3) {
        deliver(p, push->items[1].str, push->items[2].str);
        return false;
    }
    return sc_slice_eq(kind, SC_S("subscribe")) || sc_slice_eq(kind, SC_S("unsubscribe"));
}
