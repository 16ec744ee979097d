/* A cache in front of something slow: a fetch asks Redis, and on a miss the loader, once.
 *
 * A failure of the cache never breaks its user: without Redis, or with a broken value in it,
 * a fetch gives what the loader gives, and one line of log tells when that begins and ends.
 *
 * No old value is stored: a load stores what it made only if nobody, here or in another process,
 * deleted or set the key, or deleted one of the value's tags, since the load began.
 *
 * Values are bytes. A value that is empty, "null", "0" or "false" is a value, not a miss; so is one that another
 * program stored with a plain SET. "There is no such thing" is something else, and can be kept, too. Keys are 1 to
 * max_key_size bytes of any kind.
 *
 * There are two doors. A definition (sc_cache_def) says how one kind of value is made and kept: sc_cache_fetch()
 * and sc_cache_store() go by it. sc_cache_get_or_set() and sc_cache_set() do with a TTL. All others serve both.
 *
 * docs/cache.md has the guarantees, and how values lie in Redis.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CACHE_H
#define STORYCHAIN_CACHE_H

#include <storychain/client.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_cache sc_cache;

/* A key of encryption. `id`, at least 1, names it in what is stored. */
typedef struct sc_cache_secret {
    int64_t id;
    unsigned char bytes[32];
} sc_cache_secret;

#define SC_CACHE_NEVER SIZE_MAX
#define SC_CACHE_SECRETS_MAX 16

typedef struct sc_cache_opts {
    int64_t
        timeout_ms; /* how long a call may wait for Redis; two such times to store a value with tags; 0: 250 */
    int64_t wait_ms; /* how long a load of another process is waited for; 0: 10,000 */
    /* Values read from Redis are held in this process too, up to so many bytes or values, and are given without asking it
     * until it tells of a change, which takes it a moment: who reads in another process just after a write may still get the
     * old value, for a second at most, but not after he has seen the new one. Both 0: none are held; without a client: 32 MiB. */
    size_t near_bytes, near_entries;
    /* These values are given only after Redis was asked whether it has changed them, so that nobody reads what was before a write that had
     * ended, wherever it was made. One short question serves all who read meanwhile; it takes of timeout_ms.
     * try_copy and try_borrow give nothing then. */
    bool near_confirms;
    size_t max_value_size; /* larger ones are given but not stored; 0: 8 MiB */
    size_t max_key_size;   /* 0: 1 MiB */
    /* Longer keys stand in Redis as their beginning and their SHA-256; 0: 1 KiB; SC_CACHE_NEVER. The same in all
     * processes that share values. */
    size_t hash_keys_above;
    /* Values of at least that size are compressed (zstd) where that saves a tenth; 0: 1 KiB; SC_CACHE_NEVER. Every cache
     * reads them. */
    size_t compress_above;
    /* If there are any, values, negatives and errors are encrypted (AES-256-GCM) with the first, and those encrypted with any of them are read; what
     * is not encrypted is a miss, and is replaced (but for plain definitions). Up to SC_CACHE_SECRETS_MAX, copied. To change a secret: add the
     * new one at the end everywhere, then put it first everywhere, then leave out the old one. */
    const sc_cache_secret *secrets;
    size_t secret_count;
    const char
        *prefix; /* before the keys of tags and clock; up to 64 bytes, copied; NULL: "sc-cache:" */
    int loader_threads; /* for loads that nobody waits for, or only for some time; 0: 8 */
    /* So many loaders run at a time. A call that finds them all running waits up to timeout_ms for one to end; then it gets
     * SC_EOVERLOAD, and so do those who wait with it. A loader that asks the cache for another key counts twice
     * meanwhile. 0: no limit. */
    int max_loads;
} sc_cache_opts;

/* The cache gets a connection and an I/O thread of its own, by the client's options. `opts` (NULL: defaults) is copied.
 * SC_EINVAL with a reason.
 *
 * Without a client (NULL) it is a cache of this process alone: everything here holds for it; what is said of
 * Redis is done by its own memory, and when that is full the least useful values leave. Its values are neither
 * compressed nor encrypted, and keep the tags and the schema that they were made with, whichever definition reads them. It has no connection:
 * callbacks come on threads of its own. */
SC_API SC_MUST_USE sc_err sc_cache_new(sc_client *client, const sc_cache_opts *opts,
                                       sc_cache **ret_cache, sc_reason *ret_reason);

/* No call may be under way. Not on the I/O thread. NULL is fine. */
SC_API void sc_cache_free(sc_cache *cache);

typedef enum sc_cache_source {
    SC_CACHE_MISS,   /* not there (get), or loaded just now */
    SC_CACHE_HIT,    /* from Redis */
    SC_CACHE_SHARED, /* loaded just now by another thread that asked for the same key */
    SC_CACHE_NEAR    /* held in this process */
} sc_cache_source;

/* A value and where it came from. Release each with sc_cache_value_release. */
typedef struct sc_cache_value {
    sc_slice bytes; /* NUL-terminated; {NULL, 0} on a miss, and where there is no such thing */
    sc_cache_source source;
    bool
        none; /* there is no such thing, says the loader: now (miss, shared) or some time ago (hit) */
    bool stale;     /* older than its TTL or expired, given because its grace has not ended */
    int64_t age_ms; /* since it was stored; -1: not known, another program stored it */
    void *owner;    /* private */
} sc_cache_value;

SC_API void sc_cache_value_release(sc_cache_value *value);

/* Looks a key up. A miss is SC_OK with source SC_CACHE_MISS; so is Redis away (logged), and a value that would be stale.
 * SC_EINVAL, SC_ETOOBIG (the key), SC_EDEADLK. */
SC_API SC_MUST_USE sc_err sc_cache_get(sc_cache *cache, sc_slice key, sc_cache_value *ret_value);

/* The cheapest way to a value that is held in this process: no lock, no memory, and nothing is written to that other threads
 * read. False, at once: it isn't held here, or it's no value to be given as it is (old, or "there is no such thing"); ask by
 * the other calls then. Never waits; any thread.
 *
 * try_copy writes up to `size` bytes; `*ret_len` is how many the value has. try_borrow shows the value's own bytes, until they are
 * given back: soon, by whatever thread, and without waiting for anything before, for memory is not freed meanwhile. */
typedef struct sc_cache_borrowed {
    sc_slice bytes; /* NUL-terminated */
    int64_t age_ms; /* since it was stored; -1: not known */
    void *place;    /* private, as is the next */
    unsigned side;
} sc_cache_borrowed;

SC_API SC_MUST_USE bool sc_cache_try_copy(sc_cache *cache, sc_slice key, void *buffer, size_t size,
                                          size_t *ret_len);
SC_API SC_MUST_USE bool sc_cache_try_borrow(sc_cache *cache, sc_slice key,
                                            sc_cache_borrowed *ret_borrowed);
SC_API void sc_cache_give_back(sc_cache_borrowed *borrowed);

/* The same for many keys: one command for each 100 of them, and one for what tags they have. `ret_values` has `count` places; on an error
 * there is nothing to release. */
SC_API SC_MUST_USE sc_err sc_cache_get_many(sc_cache *cache, const sc_slice *keys, size_t count,
                                            sc_cache_value *ret_values);

/* Whether a get would hit, as far as that can be told from the key alone: tags are not looked at. SC_ECONNECT, … when
 * Redis can't say. */
SC_API SC_MUST_USE sc_err sc_cache_exists(sc_cache *cache, sc_slice key, bool *ret_exists);

/* What a stored value must satisfy. ttl_ms: > 0; or SC_TTL_FOREVER. 0 stores nothing. */
#define SC_TTL_FOREVER INT64_MAX

/* Stores; with ttl_ms 0 removes what was there. SC_EINVAL, SC_ETOOBIG, SC_EDEADLK; SC_EBUSY (without a client: what is borrowed was not given
 * back for 250 ms, and much waits to be freed); SC_ECONNECT, SC_ETIMEDOUT, SC_EREPLY
 * (Redis is full), … when it could not be stored: callers may ignore that, for the old value is removed
 * then as by sc_cache_del(). */
SC_API SC_MUST_USE sc_err sc_cache_set(sc_cache *cache, sc_slice key, sc_slice bytes,
                                       int64_t ttl_ms);

/* Removes keys. `*ret_removed` (may be NULL) counts those that were there. A load that is under way, in whatever
 * process, does not store its value afterwards, and no later call here gets it.
 * SC_EINVAL, SC_ETOOBIG, SC_EDEADLK: nothing was done. SC_ECONNECT, SC_ETIMEDOUT, …: Redis did not do it, or not all;
 * the keys are remembered (the newest 10,000), are not read from Redis until then, and are removed as soon
 * as it is back. Callers may ignore that. */
SC_API SC_MUST_USE sc_err sc_cache_del(sc_cache *cache, sc_slice key, bool *ret_removed);
SC_API SC_MUST_USE sc_err sc_cache_del_many(sc_cache *cache, const sc_slice *keys, size_t count,
                                            int64_t *ret_removed);

/* Removes all values that have one of these tags (1 to 255 bytes each, of any kind, known to all caches with the same prefix),
 * with one short command however many values that are: they are not touched, but count as dead. Loads that are under way
 * are treated as by sc_cache_del(); so are errors. SC_EINVAL: an empty or too long tag. */
SC_API SC_MUST_USE sc_err sc_cache_del_tags(sc_cache *cache, const sc_slice *tags, size_t count);

/* Makes values stale instead, at once: those whose definition gives them a grace are given in it while they are loaded anew. All
 * others are removed; so is a value whose key or tags could not be reached. */
SC_API SC_MUST_USE sc_err sc_cache_expire(sc_cache *cache, sc_slice key);
SC_API SC_MUST_USE sc_err sc_cache_expire_tags(sc_cache *cache, const sc_slice *tags, size_t count);

/* Removes keys that match a glob pattern of Redis (* ? [] \), by SCAN over 500 keys and UNLINK of up to 100 at a time, each well below
 * a millisecond of the server. For keys of unknown names, of whatever program; it walks over the whole keyspace. Keys that
 * are there from the beginning to the end are removed, those made meanwhile perhaps. Long keys are met by their beginning
 * (hash_keys_above). `sweep` (may be NULL) is told after each SCAN. On an error or SC_ECANCELED some were removed, and nothing is
 * remembered; an empty pattern is SC_EINVAL. Without a client it walks over what is held here, in slices of about 500 keys; no other call
 * waits for it. */
SC_API SC_MUST_USE sc_err sc_cache_del_pattern(sc_cache *cache, sc_slice pattern,
                                               const sc_sweep *sweep, int64_t *ret_removed);

/* Makes a value. Runs on the caller's thread, or on one of the cache's own (see sc_cache_def), and may block. The bytes it
 * sets with sc_cache_load_set are copied; a loader that sets none makes an empty value. An error goes to all who wait for
 * the key. It may use the cache, but not ask for its own key: SC_EDEADLK; nor for one whose loader waits for it, which the last one
 * to ask is told in the same way. (In another process that ends after wait_ms.) */
typedef struct sc_cache_load sc_cache_load;
typedef sc_err (*sc_cache_loader)(sc_cache_load *load, sc_slice key, void *user);

SC_API SC_MUST_USE sc_err sc_cache_load_set(sc_cache_load *load, sc_slice bytes);

/* There is no such thing. Not an error: who asked gets a value with `none`. */
SC_API void sc_cache_load_none(sc_cache_load *load);

/* Instead of the call's or the definition's; 0 (or less): to be given and not stored. */
SC_API void sc_cache_load_ttl(sc_cache_load *load, int64_t ttl_ms);

/* One more tag of the value; copied. SC_EINVAL: empty or over 255 bytes; SC_ETOOBIG: a value has at most 16. */
SC_API SC_MUST_USE sc_err sc_cache_load_tag(sc_cache_load *load, sc_slice tag);

/* The value that is to be replaced, when there is one (false: none). Valid until the loader returns. A loader that finds it
 * is still true calls `keep` instead of `set`. SC_ESTATE: there is none. */
SC_API bool sc_cache_load_old(const sc_cache_load *load, sc_slice *ret_bytes);
SC_API SC_MUST_USE sc_err sc_cache_load_keep(sc_cache_load *load);

/* Makes many values with one call, so that a database is asked once. `loads` and `keys` have `count` items each. One that nothing is
 * set for does not exist, one can fail alone; an error that is returned is that of all. */
typedef sc_err (*sc_cache_many_loader)(sc_cache_load *const *loads, const sc_slice *keys,
                                       size_t count, void *user);

/* This one failed. */
SC_API void sc_cache_load_fail(sc_cache_load *load, sc_err err);

/* The cached value, else the loader's, which is then stored. Callers of one process that ask for one key at the
 * same time share one load, its error too; callers of other processes wait for it. But nobody gets a value whose load began before a removal
 * that had ended when he asked. A key over its limit is loaded and not stored.
 * Never fails because of the cache: only with the loader's error, SC_EINVAL (empty key, negative TTL), SC_ENOMEM, or
 * SC_EDEADLK (on the I/O thread, or a loader asks for its own key, or for one whose loader waits for that). */
SC_API SC_MUST_USE sc_err sc_cache_get_or_set(sc_cache *cache, sc_slice key, int64_t ttl_ms,
                                              sc_cache_loader loader, void *user,
                                              sc_cache_value *ret_value);

/* How one kind of value is made and kept. Usually static, beside its loader; a cache may use it until sc_cache_free().
 * Zeroed is fine for all but ttl_ms and load. The life of a value:
 *
 *     fresh ......... soft_ttl_ms: given, and loaded anew behind . ttl_ms: stale ............ + grace_ms: gone
 *
 * Loads "behind" run on the cache's threads, one at a time per key, while the old value is given. */
typedef struct sc_cache_def {
    const char *name;        /* for people: "user:profile" */
    int64_t ttl_ms;          /* > 0, or SC_TTL_FOREVER; 0: given and not stored */
    int64_t soft_ttl_ms;     /* less than ttl_ms; 0: none */
    int64_t grace_ms;        /* after ttl_ms, or after the value was expired; 0: none */
    int64_t negative_ttl_ms; /* of "there is no such thing"; 0: not stored */
    int64_t
        error_ttl_ms; /* for so long an error is given again, without asking the loader; 0: not stored. With an old
                                value at hand: how long until the next try, at least 1 s */
    int jitter_percent; /* lives are shorter by up to so much, at random, so that they don't end together; 0 to 90 */
    double
        eager; /* > 0: before the value's time a call loads it anew behind, the more likely the nearer the end and
                                the longer the load took (XFetch's beta; 1 is usual) */
    size_t max_size; /* larger values are given and not stored; 0: the cache's */
    /* > 0: the shape of the values' bytes; values of another shape count as not there. Give it the next number when the shape
     * changes. 0: all are alike. */
    int64_t schema;

    /* How long a call waits for the loader; 0: as long as it takes. The load goes on behind. Soft: while a stale value is at hand,
     * which is given then, at once with 0. Hard: SC_ETIMEDOUT then. With a hard one all loads run on the cache's threads. */
    int64_t soft_timeout_ms, hard_timeout_ms;

    const char *const *
        tags; /* of all its values, NULL-terminated; changing them changes what is stored already */
    /* Values are stored as they are, for programs that know nothing of this library, and the TTL is Redis's. There are no tags,
     * soft TTL, grace, negatives or errors then, and no lease: a delete by another process during a load goes unnoticed. */
    bool plain;

    sc_cache_loader load;           /* one of the two, or both */
    sc_cache_many_loader load_many; /* of sc_cache_fetch_many() */
    /* A load behind needs `user` longer than the call. `keep` makes a copy for it (NULL: out of memory, there is no such load then),
     * `drop` frees that. Without `keep`, `user` itself lives until sc_cache_free(). */
    void *(*keep)(const void *user);
    void (*drop)(void *user);
} sc_cache_def;

/* As sc_cache_get_or_set(), by a definition. Besides: SC_EINVAL for a definition that says nonsense, SC_ETIMEDOUT. A value that
 * the loader finds not to exist is SC_OK with `none`. With a stale value at hand no error comes. */
SC_API SC_MUST_USE sc_err sc_cache_fetch(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                         void *user, sc_cache_value *ret_value);

/* The same without waiting. What is held here or in Redis takes no thread; loads, and values that take long to open, run on threads of the cache's own
 * (loader_threads). The callback comes on its I/O thread, never from inside these calls: it must not wait, and may call these two. `value` is the cache's, until the callback returns; take what you need. `loader_user` is copied by the definition's
 * `keep`; without one it lives until then. SC_EINVAL, SC_ETOOBIG, SC_ENOMEM: no callback comes. Errors of the call itself come to that. */
typedef void (*sc_cache_cb)(void *user, sc_err err, const sc_cache_value *value);

SC_API SC_MUST_USE sc_err sc_cache_get_async(sc_cache *cache, sc_slice key, sc_cache_cb cb,
                                             void *user);
SC_API SC_MUST_USE sc_err sc_cache_fetch_async(sc_cache *cache, const sc_cache_def *def,
                                               sc_slice key, void *loader_user, sc_cache_cb cb,
                                               void *user);

/* Many keys by one definition: per 100 of them one command, one call of `load_many` for all that are missing, and one command that
 * stores those. What another thread or process is loading, and what is to be renewed, comes as by sc_cache_fetch(). `ret_values` and
 * `ret_errs` have `count` places; a value is to be released where its error is SC_OK. The timeouts are those of the whole call: with a
 * hard one `load_many` runs on the cache's threads, `user` is kept as for a load behind, and keys that have nothing at hand in time get
 * SC_ETIMEDOUT while it goes on.
 * SC_EINVAL (the definition), SC_EDEADLK, SC_ENOMEM: then there is nothing to release. */
SC_API SC_MUST_USE sc_err sc_cache_fetch_many(sc_cache *cache, const sc_cache_def *def,
                                              const sc_slice *keys, size_t count, void *user,
                                              sc_cache_value *ret_values, sc_err *ret_errs);

/* As sc_cache_set(), by a definition: with its TTLs, jitter and tags. */
SC_API SC_MUST_USE sc_err sc_cache_store(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                         sc_slice bytes);

/* The same for many: two commands for each 100, plain ones one by one. SC_EINVAL, SC_ETOOBIG, SC_EDEADLK: nothing was stored; on other
 * errors perhaps some. */
typedef struct sc_cache_item {
    sc_slice key, bytes;
} sc_cache_item;

SC_API SC_MUST_USE sc_err sc_cache_store_many(sc_cache *cache, const sc_cache_def *def,
                                              const sc_cache_item *items, size_t count);

/* A cached twin of a loader: the key is made from the argument, the rest is fixed once. */
typedef struct sc_cache_wrapped {
    sc_cache *cache;
    /* Writes the key of `arg` with sc_cache_load_set. */
    sc_err (*make_key)(sc_cache_load *key, const void *arg, void *user);
    sc_err (*load)(sc_cache_load *load, const void *arg, void *user);
    int64_t ttl_ms;
    void *user;
} sc_cache_wrapped;

SC_API SC_MUST_USE sc_err sc_cache_wrapped_get(const sc_cache_wrapped *wrapped, const void *arg,
                                               sc_cache_value *ret_value);

#define SC_CACHE_LOAD_BUCKETS 14

/* Counters since the cache was made, of this process alone. */
typedef struct sc_cache_stats {
    uint64_t hits, misses, shared, loads, load_errors, sets, deletes, errors;
    uint64_t stale;                    /* hits that were given after their time */
    uint64_t none;                     /* hits that say "there is no such thing" */
    uint64_t renewals;                 /* loads behind that stored a newer value */
    uint64_t near_hits;                /* from this process's own memory; not among the hits */
    uint64_t near_entries, near_bytes; /* held now */
    uint64_t near_evicted;             /* left that memory for want of room … */
    uint64_t near_expired;             /* … and after their time */
    uint64_t lease_waits;              /* calls that waited for a load of another process */
    uint64_t invalidations;            /* changes of keys that the server told of */
    uint64_t load_us;                  /* that all loads took together */
    uint64_t load_buckets
        [SC_CACHE_LOAD_BUCKETS]; /* loads by how long they took: sc_cache_load_bound_ms() */
} sc_cache_stats;

SC_API void sc_cache_stats_get(const sc_cache *cache, sc_cache_stats *ret_stats);

/* The longest load that is counted in a bucket, and not in one before: 1, 2, 5 ms, …; of the last one INT64_MAX. */
SC_API int64_t sc_cache_load_bound_ms(size_t bucket);

#ifdef __cplusplus
}
#endif
#endif
