#include "confirm.h"

#include "loop/waiter.h"
#include "redis/client.h"

/* On the stack of who waits. */
struct sc__confirm_wait {
    sc__waiter waiter;
    bool is_answered;
    struct sc__confirm_wait *next;
};

void sc__confirm_init(sc__confirm *c, sc_client *client, sc__health *health, int64_t timeout_ms)
{
    *c = (sc__confirm){.client = client, .health = health, .timeout_ms = timeout_ms};
    pthread_mutex_init(&c->mutex, NULL);
}

void sc__confirm_release(sc__confirm *c)
{
    pthread_mutex_destroy(&c->mutex);
}

static void wake(struct sc__confirm_wait *waits, bool is_answered)
{
    while (waits) {
        struct sc__confirm_wait *next = waits->next;

        waits->is_answered = is_answered;
        sc__waiter_wake(&waits->waiter); /* it is gone now */
        waits = next;
    }
}

static void ask(sc__confirm *c);

static void on_answer(void *user, sc_err err, const sc_reply *reply)
{
    sc__confirm *c = user;
    struct sc__confirm_wait *waits;
    bool again;

    (void)reply; /* whatever it says, what was told before it is known now */
    sc__health_after(c->health, err);
    pthread_mutex_lock(&c->mutex);
    waits = c->asked;
    c->asked = c->coming;
    c->coming = NULL;
    c->is_asking = again = c->asked != NULL;
    pthread_mutex_unlock(&c->mutex);
    if (again)
        ask(c);
    wake(waits, !err);
}

static void ask(sc__confirm *c)
{
    static const sc_slice argv[] = {SC_S("PING")};
    const sc__send_opts opts = {.timeout_ms = c->timeout_ms};
    sc_err err = sc__client_send(c->client, argv, 1, &opts, on_answer, c);

    if (err)
        on_answer(c, err, NULL);
}

/* True: nobody has asked, and the caller is to. */
static bool join(sc__confirm *c, struct sc__confirm_wait *wait)
{
    struct sc__confirm_wait **list;
    bool asks;

    pthread_mutex_lock(&c->mutex);
    asks = !c->is_asking;
    c->is_asking = true;
    list = asks ? &c->asked : &c->coming;
    wait->next = *list;
    *list = wait;
    pthread_mutex_unlock(&c->mutex);
    return asks;
}

static bool unlist(struct sc__confirm_wait **list, const struct sc__confirm_wait *wait)
{
    while (*list && *list != wait)
        list = &(*list)->next;
    if (!*list)
        return false;
    *list = wait->next;
    return true;
}

/* False: it is being woken just now. */
static bool leave(sc__confirm *c, const struct sc__confirm_wait *wait)
{
    bool left;

    pthread_mutex_lock(&c->mutex);
    left = unlist(&c->asked, wait) || unlist(&c->coming, wait);
    pthread_mutex_unlock(&c->mutex);
    return left;
}

bool sc__confirm_wait(sc__confirm *c, int64_t timeout_ms)
{
    struct sc__confirm_wait wait = {.is_answered = false};

    if (sc__loop_is_current(sc__client_loop(c->client)))
        return false;
    sc__waiter_init(&wait.waiter);
    if (join(c, &wait))
        ask(c);
    if (!sc__waiter_wait_for(&wait.waiter, timeout_ms) && !leave(c, &wait))
        sc__waiter_wait(&wait.waiter);
    sc__waiter_release(&wait.waiter);
    return wait.is_answered;
}
