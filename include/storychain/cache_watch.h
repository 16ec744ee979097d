/* Hears which keys change in Redis, whoever changes them: set, deleted, expired, evicted. For people who look at a cache, and for
 * programs that keep something made from it.
 *
 * The server tells of all keys with one prefix (RESP3's broadcast tracking), on a connection of the watch's own. Needs a server of
 * RESP3 and a user who may send CLIENT TRACKING.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CACHE_WATCH_H
#define STORYCHAIN_CACHE_WATCH_H

#include <storychain/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_cache_watch sc_cache_watch;

/* A key has changed; borrowed for the call. {NULL, 0}: any key may have changed, for everything was removed, or for the connection was
 * lost and is back. On the watch's own I/O thread, which must not wait for long: the server cuts off who doesn't read. */
typedef void (*sc_cache_watch_cb)(void *user, sc_slice key);

/* Begins, to the server of `client`, which it doesn't need afterwards; waits until it hears. `prefix` (copied; NULL or empty: all keys)
 * is up to 1,024 bytes. SC_EINVAL, SC_ENOMEM; SC_EPERM: the server tells nothing; SC_ECONNECT, SC_EAUTH, SC_ETIMEDOUT, … with a reason. Not
 * on an I/O thread. */
SC_API SC_MUST_USE sc_err sc_cache_watch_start(const sc_client *client, const char *prefix,
                                               sc_cache_watch_cb cb, void *user,
                                               sc_cache_watch **ret_watch, sc_reason *ret_reason);

/* No call comes after it. Not on its I/O thread. NULL is fine. */
SC_API void sc_cache_watch_stop(sc_cache_watch *watch);

#ifdef __cplusplus
}
#endif
#endif
