#include "health.h"

#include "base/clock.h"
#include "base/log.h"

enum {
    IN_A_ROW = 3, /* calls without an answer, or tries with one */
    WINDOW_MS = 10 * 1000,
    PAUSE_MS = 1000,
    QUIET_MS = 1000, /* an absence that begins so soon after the last is told only if it stays */
    COMPLAIN_EVERY_MS = 60 * 1000
};

void sc__health_init(sc__health *h, sc_client *client, const char *who, const char *meanwhile)
{
    *h = (sc__health){.client = client, .who = who, .meanwhile = meanwhile};
    atomic_init(&h->well, true);
    atomic_init(&h->stores, true);
    atomic_init(&h->answers, 0);
    pthread_mutex_init(&h->mutex, NULL);
    h->back_ms = sc__mono_ms() - QUIET_MS;
    h->complain_ms = INT64_MIN;
}

void sc__health_release(sc__health *h)
{
    pthread_mutex_destroy(&h->mutex);
}

/* True for one caller a second. Under the mutex. */
static bool is_time(int64_t *again_ms)
{
    int64_t now = sc__mono_ms();

    if (now < *again_ms)
        return false;
    *again_ms = now + PAUSE_MS;
    return true;
}

sc_err sc__health_ask(sc__health *h)
{
    sc_err err = SC_OK;
    bool connected;

    if (atomic_load(&h->well))
        return SC_OK;
    connected = sc_client_is_connected(h->client);
    pthread_mutex_lock(&h->mutex);
    if (!connected)
        err = SC_ECONNECT;
    else if (h->tries_left && !is_time(&h->try_again_ms))
        err = h->last_err;
    pthread_mutex_unlock(&h->mutex);
    return err;
}

bool sc__health_may_store(sc__health *h)
{
    bool may;

    if (atomic_load(&h->stores))
        return true;
    pthread_mutex_lock(&h->mutex);
    may = is_time(&h->store_again_ms);
    pthread_mutex_unlock(&h->mutex);
    return may;
}

/* A try that was answered; true when it was the last that was wanted. Under the mutex. */
static bool ends_absence(sc__health *h)
{
    if (h->tries_left > 1) {
        h->tries_left--;
        h->try_again_ms = INT64_MIN;
        return false;
    }
    h->tries_left = 0;
    h->silence_count = 0;
    h->back_ms = sc__mono_ms();
    atomic_store(&h->well, true);
    return true;
}

static void answered(sc__health *h)
{
    bool tell;

    atomic_fetch_add_explicit(&h->answers, 1, memory_order_relaxed);
    if (atomic_load(&h->well))
        return;
    pthread_mutex_lock(&h->mutex);
    tell = ends_absence(h) && h->told_away;
    h->told_away = h->told_away && !tell;
    pthread_mutex_unlock(&h->mutex);
    if (tell)
        sc__log(SC_LOG_INFO, "%s: Redis is back", h->who);
}

/* Whether since the last `count` silences no more than `answers_max` calls were answered. */
static bool are_dense(const sc__health *h, size_t count, uint64_t answers_max)
{
    size_t first;

    if (h->silence_count < count)
        return false;
    first = (h->silence_count - count) % SC__SILENCES_MAX;
    return sc__mono_ms() - h->silences[first].at_ms < WINDOW_MS &&
           atomic_load(&h->answers) - h->silences[first].answers <= answers_max;
}

static void note_silence(sc__health *h)
{
    size_t at = h->silence_count++ % SC__SILENCES_MAX;

    h->silences[at].at_ms = sc__mono_ms();
    h->silences[at].answers = atomic_load(&h->answers);
    if (!h->tries_left && !are_dense(h, IN_A_ROW, 0) &&
        !are_dense(h, SC__SILENCES_MAX, SC__SILENCES_MAX))
        return;
    h->tries_left = IN_A_ROW;
    h->try_again_ms = sc__mono_ms() + PAUSE_MS;
}

static void silent(sc__health *h, sc_err err)
{
    bool is_lost = err == SC_ECONNECT || err == SC_ECONNLOST || !sc_client_is_connected(h->client);
    bool is_away, tell;

    pthread_mutex_lock(&h->mutex);
    if (!is_lost)
        note_silence(h);
    is_away = is_lost || h->tries_left;
    if (is_away)
        atomic_store(&h->well, false);
    h->last_err = err;
    tell = is_away && !h->told_away && sc__mono_ms() - h->back_ms >= QUIET_MS;
    h->told_away = h->told_away || tell;
    pthread_mutex_unlock(&h->mutex);
    if (tell)
        sc__log(SC_LOG_WARN, "%s: Redis is away (%s); %s", h->who, sc_err_text(err), h->meanwhile);
}

void sc__health_after(sc__health *h, sc_err err)
{
    switch (err) {
    case SC_OK:
    case SC_EREPLY:
    case SC_EREADONLY:
        answered(h);
        break;
    case SC_EINVAL: /* these never got to the server */
    case SC_ETOOBIG:
    case SC_ENOMEM:
    case SC_EDEADLK:
    case SC_ECANCELED:
        break;
    default:
        silent(h, err);
    }
}

void sc__health_stored(sc__health *h)
{
    bool tell;

    if (atomic_load(&h->stores))
        return;
    pthread_mutex_lock(&h->mutex);
    tell = h->told_refusal;
    h->told_refusal = false;
    atomic_store(&h->stores, true);
    pthread_mutex_unlock(&h->mutex);
    if (tell)
        sc__log(SC_LOG_INFO, "%s: Redis stores values again", h->who);
}

void sc__health_refused(sc__health *h, const char *why)
{
    bool tell;

    pthread_mutex_lock(&h->mutex);
    tell = !h->told_refusal;
    h->told_refusal = true;
    h->store_again_ms = sc__mono_ms() + PAUSE_MS;
    atomic_store(&h->stores, false);
    pthread_mutex_unlock(&h->mutex);
    if (tell)
        sc__log(SC_LOG_WARN, "%s: Redis stores no values (%s); %s", h->who, why, h->meanwhile);
}

void sc__health_connected(sc__health *h)
{
    pthread_mutex_lock(&h->mutex);
    h->tries_left = 0;
    h->silence_count = 0;
    pthread_mutex_unlock(&h->mutex);
}

void sc__health_complain(sc__health *h, sc_slice key, const char *why)
{
    int64_t now = sc__mono_ms();
    bool tell;

    pthread_mutex_lock(&h->mutex);
    tell = now >= h->complain_ms;
    if (tell)
        h->complain_ms = now + COMPLAIN_EVERY_MS;
    pthread_mutex_unlock(&h->mutex);
    if (tell)
        sc__log(SC_LOG_WARN, "%s: what Redis holds at \"%.*s\" can't be used: %s; %s", h->who,
                (int)(key.len < 128 ? key.len : 128), key.ptr, why, h->meanwhile);
}
