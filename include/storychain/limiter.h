/* A limiter of requests: at most so many per key and window of time, over all processes that share the
 * server.
 *
 * Fixed: a window begins with the first request of a key and lasts `window_ms`; around the end of one, up to twice the
 * maximum can pass within that time. Sliding: the window always ends now. It is kept as two counters: the requests of the window before
 * count by the part of it that is still covered, as if they had come evenly.
 *
 * The limiter never stands in the way of its user: while Redis is away everything is allowed, and the result says so.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_LIMITER_H
#define STORYCHAIN_LIMITER_H

#include <storychain/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_limiter sc_limiter;

typedef enum sc_limiter_kind { SC_LIMITER_FIXED, SC_LIMITER_SLIDING } sc_limiter_kind;

typedef struct sc_limiter_opts {
    int64_t max;       /* requests a window; 1 to 10^12 */
    int64_t window_ms; /* 1 to 10^12 */
    int64_t
        timeout_ms; /* how long Redis may take before the request is allowed unasked; >= 0; 0: 100 */
    sc_limiter_kind kind; /* of all limiters that use a key */
} sc_limiter_opts;

/* `opts` is copied. SC_EINVAL with a reason. */
SC_API SC_MUST_USE sc_err sc_limiter_new(sc_client *client, const sc_limiter_opts *opts,
                                         sc_limiter **ret_limiter, sc_reason *ret_reason);
SC_API void sc_limiter_free(sc_limiter *limiter); /* NULL is fine */

typedef struct sc_limit {
    bool allowed;
    int64_t remaining; /* requests that this window still allows */
    int64_t
        reset_ms; /* from now; fixed: until the window ends; sliding: until one more is allowed, 0: now */
    sc_err trouble; /* SC_OK; else why Redis was not asked: then allowed, with all remaining */
} sc_limit;

/* Counts one request of `key` (the whole Redis key; 1 to 1,024 bytes) if it is allowed. One that is refused
 * is not counted. Waits for the server. SC_EINVAL: a key of another length; SC_EDEADLK; SC_ENOMEM. */
SC_API SC_MUST_USE sc_err sc_limiter_check(sc_limiter *limiter, sc_slice key, sc_limit *ret_limit);

/* The same without waiting. `limit` is borrowed for the callback. The limiter must not be freed before. SC_EINVAL, SC_ENOMEM. */
typedef void (*sc_limiter_cb)(void *user, const sc_limit *limit);

SC_API SC_MUST_USE sc_err sc_limiter_check_async(sc_limiter *limiter, sc_slice key,
                                                 sc_limiter_cb cb, void *user);

#ifdef __cplusplus
}
#endif
#endif
