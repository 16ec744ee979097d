/* A lock by name, over all processes that share the server: held by one at a time, kept while its holder lives.
 *
 * The lock of a holder that dies, or can't reach the server, ends by itself after `hold_ms`. A holder that was merely slow may
 * not know yet; so each has a number greater than those of all holders before, to be sent along with what it writes:
 * who stores refuses a number below one that it has seen. Without that, a lock saves work, but does not protect data.
 *
 * Those who wait are told when the lock is free; in no order. One server is one judge: after a failover the new server
 * may not know of a lock yet.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_LOCK_H
#define STORYCHAIN_LOCK_H

#include <storychain/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_lock sc_lock;

typedef struct sc_lock_opts {
    int64_t hold_ms; /* a dead holder's lock ends after it; 100 to 24 days; 0: 10,000 */
    int64_t
        wait_ms; /* how long to wait for a lock that another holds; up to 24 days; 0: not at all */
    /* On the I/O thread, at most once: the lock is another's, or could not be kept for so long that it may be. The call comes up to a
     * quarter of hold_ms late; sc_lock_is_held() is exact. NULL: nobody asks. */
    void (*on_lost)(void *user, sc_lock *lock);
    void *user;
} sc_lock_opts;

/* Takes the lock `key` (the whole Redis key; 1 to 1,024 bytes; copied) and keeps it, by a call each quarter of hold_ms. `opts` (NULL:
 * defaults) is copied. Waits for the server. SC_EBUSY: another holds it, and wait_ms is over; SC_EINVAL with a reason; SC_ENOMEM; SC_EDEADLK;
 * SC_ECONNECT, SC_ETIMEDOUT, SC_EREPLY, …: the server can't say. Then it is not held, or ends by itself. */
SC_API SC_MUST_USE sc_err sc_lock_acquire(sc_client *client, sc_slice key, const sc_lock_opts *opts,
                                          sc_lock **ret_lock, sc_reason *ret_reason);

/* The same without waiting. `lock` is the callback's to keep, and NULL unless `err` is SC_OK; `reason` is NULL on SC_OK, and borrowed for
 * the callback. SC_EINVAL, SC_ENOMEM come at once, with `ret_reason`. SC_ECANCELED: the client was freed meanwhile. */
typedef void (*sc_lock_acquire_cb)(void *user, sc_err err, sc_lock *lock, const sc_reason *reason);

SC_API SC_MUST_USE sc_err sc_lock_acquire_async(sc_client *client, sc_slice key,
                                                const sc_lock_opts *opts, sc_lock_acquire_cb cb,
                                                void *user, sc_reason *ret_reason);

/* The holder's number, above 0. */
SC_API int64_t sc_lock_number(const sc_lock *lock);

/* Whether it is surely held at this moment. */
SC_API bool sc_lock_is_held(const sc_lock *lock);

/* Keeps it for hold_ms from now, by a call of its own: for who wants to be sure at this moment, before something that takes long or that
 * can't be undone. SC_ELOCKLOST; SC_EDEADLK, SC_ENOMEM; SC_ECONNECT, SC_ETIMEDOUT, …: the server did not say, and it is held as long as
 * before. */
SC_API SC_MUST_USE sc_err sc_lock_extend(sc_lock *lock);

/* Ends the lock and frees it, whatever is returned, SC_EDEADLK (on the I/O thread) excepted. on_lost doesn't come after it. SC_ELOCKLOST: it
 * was lost before. SC_ECONNECT, …: the server was not told; the lock ends by itself after hold_ms. NULL is SC_OK. */
SC_API SC_MUST_USE sc_err sc_lock_release(sc_lock *lock);

/* The same without waiting; `err` is what the plain call returns. A lock is released after the callbacks of its extensions have come;
 * it must not be used any more once its release was called, on_lost may come until its callback. Release: SC_EINVAL for NULL. */
typedef void (*sc_lock_done_cb)(void *user, sc_err err);

SC_API SC_MUST_USE sc_err sc_lock_extend_async(sc_lock *lock, sc_lock_done_cb cb, void *user);
SC_API SC_MUST_USE sc_err sc_lock_release_async(sc_lock *lock, sc_lock_done_cb cb, void *user);

#ifdef __cplusplus
}
#endif
#endif
