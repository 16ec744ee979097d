#include "repair.h"

#include "base/clock.h"
#include "base/log.h"
#include "ops/op_cache.h"
#include "redis/reply.h"

enum { TICK_MS = 200, PAUSE_MIN_MS = 200, PAUSE_MAX_MS = 5000 };

static bool begin(sc__repair *r)
{
    bool may;

    pthread_mutex_lock(&r->mutex);
    may = !r->is_busy && !r->stopping;
    r->is_busy = r->is_busy || may;
    pthread_mutex_unlock(&r->mutex);
    return may;
}

static void end(sc__repair *r)
{
    pthread_mutex_lock(&r->mutex);
    r->is_busy = false;
    pthread_cond_signal(&r->idle);
    pthread_mutex_unlock(&r->mutex);
}

static bool carry_on(sc__repair *r);

/* When to try next. Silence ends with the connection or its next answer; a refusal may last, and each
 * try of a server that takes no writes costs the connection. */
static void plan(sc__repair *r, sc_err err)
{
    bool refused = err == SC_EREADONLY || err == SC_EREPLY;

    if (!refused)
        r->pause_ms = PAUSE_MIN_MS;
    r->next_ms = err ? sc__mono_ms() + r->pause_ms : 0;
    if (refused && r->pause_ms < PAUSE_MAX_MS)
        r->pause_ms *= 2;
}

static void on_deleted(void *user, sc_err err, const sc_reply *reply)
{
    sc__repair *r = user;

    if (!err)
        err = sc__reply_check(reply, NULL);
    sc__journal_settle(&r->journal, err == SC_OK);
    sc__health_after(r->health, err);
    plan(r, err);
    if (err || !carry_on(r))
        end(r);
}

static bool is_stopping(sc__repair *r)
{
    bool stopping;

    pthread_mutex_lock(&r->mutex);
    stopping = r->stopping;
    pthread_mutex_unlock(&r->mutex);
    return stopping;
}

/* For who is busy: true when a call is under way, whose end will see to the rest. Otherwise end() is due, behind which
 * sc__repair_stop() may free all this. */
static bool carry_on(sc__repair *r)
{
    sc_slice keys[SC__CACHE_DEL_MAX];
    size_t count;

    if (is_stopping(r) || sc__mono_ms() < r->next_ms || !sc_client_is_connected(r->client))
        return false;
    count = sc__journal_take(&r->journal, keys, SC__CACHE_DEL_MAX);
    if (count && sc__op_cache_del_async(r->client, r->clock, keys, count, r->timeout_ms, on_deleted,
                                        r) == SC_OK)
        return true;
    sc__journal_settle(&r->journal, false);
    return false;
}

static void attempt(sc__repair *r)
{
    if (begin(r) && !carry_on(r))
        end(r);
}

static bool tick(void *arg)
{
    sc__repair *r = arg;

    attempt(r);
    if (sc__journal_count(&r->journal))
        return true;
    atomic_store(&r->told_lost, false);
    return false;
}

static void on_change(void *user, bool connected)
{
    sc__repair *r = user;

    if (!connected)
        return;
    sc__health_connected(r->health);
    if (sc__journal_count(&r->journal))
        attempt(r);
}

void sc__repair_start(sc__repair *r, sc_client *client, sc_slice clock, sc__health *health,
                      int64_t timeout_ms)
{
    *r = (sc__repair){.client = client,
                      .clock = clock,
                      .health = health,
                      .timeout_ms = timeout_ms,
                      .pause_ms = PAUSE_MIN_MS,
                      .watch = {.cb = on_change, .user = r}};
    pthread_mutex_init(&r->mutex, NULL);
    pthread_cond_init(&r->idle, NULL);
    sc__journal_init(&r->journal);
    sc__pulse_init(&r->pulse, sc__client_loop(client), TICK_MS, tick, r);
    sc__client_watch_add(client, &r->watch);
}

void sc__repair_stop(sc__repair *r)
{
    size_t left;

    sc__client_watch_remove(r->client, &r->watch);
    sc__pulse_release(&r->pulse);
    pthread_mutex_lock(&r->mutex);
    r->stopping = true;
    while (r->is_busy)
        pthread_cond_wait(&r->idle, &r->mutex);
    pthread_mutex_unlock(&r->mutex);
    left = sc__journal_count(&r->journal);
    if (left)
        sc__log(SC_LOG_WARN,
                "cache: Redis did not come back to delete %zu values; they may be old until their "
                "TTL ends",
                left);
    sc__journal_release(&r->journal);
    pthread_cond_destroy(&r->idle);
    pthread_mutex_destroy(&r->mutex);
}

void sc__repair_add(sc__repair *r, const sc_slice *keys, size_t count)
{
    bool kept = true;

    for (size_t i = 0; i < count; i++)
        kept = sc__journal_add(&r->journal, keys[i]) && kept;
    if (!kept && !atomic_exchange(&r->told_lost, true))
        sc__log(SC_LOG_WARN,
                "cache: too many values wait to be deleted; the oldest are given up, and may be "
                "old until their TTL ends");
    sc__pulse_wake(&r->pulse);
}

bool sc__repair_has(sc__repair *r, sc_slice key)
{
    return sc__journal_has(&r->journal, key);
}
