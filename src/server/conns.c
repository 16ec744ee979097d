#include "conns.h"

#include <pthread.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/mem.h"

enum { LOOK_MS = 500, CROWDED_MS = 2000 };

struct conn {
    struct conns *conns;
    struct conn *next, *prev;
    int fd;
    enum conn_step step;
    int64_t since_ms; /* mono */
    bool ended;
};

struct conns {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* an answer ended, or closing */
    pthread_t thread;
    bool closing;
    struct conn *first;
    size_t count, max, busy; /* busy: running or sending */
    int64_t limit_ms[CONN_STEPS];
    uint64_t slow;
};

static bool is_busy(enum conn_step step)
{
    return step == CONN_RUNNING || step == CONN_SENDING;
}

static int64_t limit_of(const struct conns *conns, enum conn_step step)
{
    bool crowded = conns->count > conns->max - conns->max / 4;

    if (crowded && step == CONN_WAITING && conns->limit_ms[step] > CROWDED_MS)
        return CROWDED_MS;
    return conns->limit_ms[step];
}

/* Shutting the socket down makes libmicrohttpd close it, on its own thread. */
static void end_slow_ones(struct conns *conns)
{
    int64_t now = sc__mono_ms();

    for (struct conn *c = conns->first; c; c = c->next) {
        if (c->ended || c->step == CONN_RUNNING || now - c->since_ms < limit_of(conns, c->step))
            continue;
        c->ended = true;
        conns->slow++;
        shutdown(c->fd, SHUT_RDWR);
    }
}

static void wait_ms(struct conns *conns, int64_t ms)
{
    const struct timespec until = sc__cond_after(ms);

    pthread_cond_timedwait(&conns->changed, &conns->lock, &until);
}

static void *look_after(void *arg)
{
    struct conns *conns = arg;

    pthread_mutex_lock(&conns->lock);
    while (!conns->closing) {
        wait_ms(conns, LOOK_MS);
        end_slow_ones(conns);
    }
    pthread_mutex_unlock(&conns->lock);
    return NULL;
}

static void init_lock(struct conns *conns)
{
    pthread_mutex_init(&conns->lock, NULL);
    sc__cond_init(&conns->changed);
}

sc_err conns_new(size_t max, int64_t receive_ms, int64_t send_ms, struct conns **ret_conns)
{
    struct conns *conns = sc__calloc(1, sizeof(*conns));

    if (!conns)
        return SC_ENOMEM;
    conns->max = max;
    conns->limit_ms[CONN_WAITING] = receive_ms;
    conns->limit_ms[CONN_READING] = receive_ms;
    conns->limit_ms[CONN_SENDING] = send_ms;
    init_lock(conns);
    if (pthread_create(&conns->thread, NULL, look_after, conns)) {
        pthread_cond_destroy(&conns->changed);
        pthread_mutex_destroy(&conns->lock);
        sc_free(conns);
        return SC_ENOMEM;
    }
    pthread_setname_np(conns->thread, "sc-http-conns");
    *ret_conns = conns;
    return SC_OK;
}

void conns_free(struct conns *conns)
{
    if (!conns)
        return;
    pthread_mutex_lock(&conns->lock);
    conns->closing = true;
    pthread_cond_broadcast(&conns->changed);
    pthread_mutex_unlock(&conns->lock);
    pthread_join(conns->thread, NULL);
    pthread_cond_destroy(&conns->changed);
    pthread_mutex_destroy(&conns->lock);
    sc_free(conns);
}

struct conn *conn_opened(struct conns *conns, int fd)
{
    struct conn *conn = sc__calloc(1, sizeof(*conn));

    if (!conn)
        return NULL;
    conn->conns = conns;
    conn->fd = fd;
    conn->since_ms = sc__mono_ms();
    pthread_mutex_lock(&conns->lock);
    conn->next = conns->first;
    if (conn->next)
        conn->next->prev = conn;
    conns->first = conn;
    conns->count++;
    pthread_mutex_unlock(&conns->lock);
    return conn;
}

static void leave_step(struct conns *conns, enum conn_step step)
{
    if (!is_busy(step))
        return;
    conns->busy--;
    pthread_cond_broadcast(&conns->changed);
}

void conn_closed(struct conn *conn)
{
    struct conns *conns;

    if (!conn)
        return;
    conns = conn->conns;
    pthread_mutex_lock(&conns->lock);
    leave_step(conns, conn->step);
    if (conn->prev)
        conn->prev->next = conn->next;
    else
        conns->first = conn->next;
    if (conn->next)
        conn->next->prev = conn->prev;
    conns->count--;
    pthread_mutex_unlock(&conns->lock);
    sc_free(conn);
}

void conn_step(struct conn *conn, enum conn_step step)
{
    struct conns *conns;

    if (!conn)
        return;
    conns = conn->conns;
    pthread_mutex_lock(&conns->lock);
    if (is_busy(step))
        conns->busy++;
    leave_step(conns, conn->step);
    conn->step = step;
    conn->since_ms = sc__mono_ms();
    pthread_mutex_unlock(&conns->lock);
}

size_t conns_count(struct conns *conns)
{
    size_t count;

    pthread_mutex_lock(&conns->lock);
    count = conns->count;
    pthread_mutex_unlock(&conns->lock);
    return count;
}

uint64_t conns_slow(struct conns *conns)
{
    uint64_t slow;

    pthread_mutex_lock(&conns->lock);
    slow = conns->slow;
    pthread_mutex_unlock(&conns->lock);
    return slow;
}

void conns_drain(struct conns *conns, int64_t limit_ms)
{
    int64_t until = sc__mono_ms() + limit_ms, left;

    pthread_mutex_lock(&conns->lock);
    while (conns->busy && (left = until - sc__mono_ms()) > 0)
        wait_ms(conns, left);
    pthread_mutex_unlock(&conns->lock);
}
