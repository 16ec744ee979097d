#include <storychain/cache_watch.h>

#include "base/error.h"
#include "base/mem.h"
#include "redis/tracking.h"

enum { PREFIX_MAX = 1024, READY_MS = 5000 };

struct sc_cache_watch {
    sc__tracking tracking;
    sc_client *client; /* its own */
    sc__client_watch state;
    sc_cache_watch_cb cb;
    void *user;
    char prefix[PREFIX_MAX + 1];
};

static void on_changed(void *user, sc_slice key)
{
    sc_cache_watch *watch = user;

    watch->cb(watch->user, key);
}

static void on_all_changed(void *user)
{
    on_changed(user, (sc_slice){NULL, 0});
}

static void on_state(void *user, bool connected)
{
    if (connected)
        on_all_changed(user);
}

/* From a connection that is there on. */
static sc_err begin(sc_cache_watch *watch, const sc_client *like, sc_reason *ret_reason)
{
    sc_err err = sc__client_new_tracking(like, &watch->tracking, &watch->client, ret_reason);

    if (err)
        return err;
    err = sc_client_wait_ready(watch->client, READY_MS, ret_reason);
    if (!err && !sc__client_is_tracked(watch->client))
        err = sc__because(ret_reason, SC_EPERM,
                          "the server does not tell which keys change: it knows no RESP3, or this "
                          "user may not send CLIENT TRACKING");
    return err;
}

sc_err sc_cache_watch_start(const sc_client *client, const char *prefix, sc_cache_watch_cb cb,
                            void *user, sc_cache_watch **ret_watch, sc_reason *ret_reason)
{
    const size_t len = prefix ? strlen(prefix) : 0;
    sc_cache_watch *watch;
    sc_err err;

    if (!client || !cb || len > PREFIX_MAX)
        return sc__because(ret_reason, SC_EINVAL,
                           "a watch needs a client, a callback, and a prefix of up to %d bytes",
                           PREFIX_MAX);
    watch = sc__calloc(1, sizeof(*watch));
    if (!watch)
        return sc__because(ret_reason, SC_ENOMEM, "no memory for a watch");
    watch->cb = cb;
    watch->user = user;
    memcpy(watch->prefix, prefix ? prefix : "", len);
    watch->tracking = (sc__tracking){on_changed, on_all_changed, watch, watch->prefix};
    watch->state = (sc__client_watch){.cb = on_state, .user = watch};
    err = begin(watch, client, ret_reason);
    if (err) {
        sc_client_free(watch->client);
        sc_free(watch);
        return err;
    }
    sc__client_watch_add(watch->client, &watch->state);
    *ret_watch = watch;
    return SC_OK;
}

void sc_cache_watch_stop(sc_cache_watch *watch)
{
    if (!watch)
        return;
    sc__client_watch_remove(watch->client, &watch->state);
    sc_client_free(watch->client);
    sc_free(watch);
}
