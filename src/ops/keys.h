/* The keys of a queue. tools/protocol makes a part of docs/protocol.md from this table. */
#ifndef SC_OPS_KEYS_H
#define SC_OPS_KEYS_H

#include "base/str.h"

/* Keys of a queue: {prefix}:{queue}:{suffix}, in BullMQ's layout. */
#define SC_QUEUE_KEYS(X)                                                                           \
    X(ID, "id", "string", "job counter")                                                           \
    X(WAIT, "wait", "list", "waiting job ids; the right end is the head")                          \
    X(PAUSED, "paused", "list", "what waits in a queue paused by BullMQ 5; resume empties it")     \
    X(ACTIVE, "active", "list", "ids being processed")                                             \
    X(PRIORITIZED, "prioritized", "zset", "ids with a priority; priority * 2^32 + counter")        \
    X(DELAYED, "delayed", "zset", "ids that wait for their time; due ms * 4096 + order")           \
    X(COMPLETED, "completed", "zset", "ids by finish ms")                                          \
    X(FAILED, "failed", "zset", "ids by finish ms")                                                \
    X(WAITING_CHILDREN, "waiting-children", "zset", "parents by entry ms")                         \
    X(MARKER, "marker", "zset", "what workers block on: \"0\" take, \"1\" at its score")           \
    X(EVENTS, "events", "stream", "what happened")                                                 \
    X(META, "meta", "hash", "settings of the queue")                                               \
    X(PC, "pc", "string", "priority counter")                                                      \
    X(STALLED, "stalled", "set", "ids suspected to be stalled")                                    \
    X(STALLED_CHECK, "stalled-check", "string", "a check ran recently")                            \
    X(LIMITER, "limiter", "string", "jobs started in this window")                                 \
    X(REPEAT, "repeat", "zset", "job scheduler ids by next run ms")                                \
    X(METRICS_COMPLETED, "metrics:completed", "hash", "how many jobs were completed")              \
    X(METRICS_COMPLETED_DATA, "metrics:completed:data", "list", "per minute, the newest first")    \
    X(METRICS_FAILED, "metrics:failed", "hash", "how many jobs failed for good")                   \
    X(METRICS_FAILED_DATA, "metrics:failed:data", "list", "per minute, the newest first")

/* What stands between a queue's base and a deduplication id: a string, the id of the job that owns it. `dn:` (a hash, the
 * job to be added after an active owner) is known to the scripts alone. */
#define SC__DEDUP_KEY "de:"

typedef enum sc__queue_key {
#define X(name, suffix, type, content) SC__KEY_##name,
    SC_QUEUE_KEYS(X)
#undef X
        SC__QUEUE_KEY_COUNT
} sc__queue_key;

/* The keys of one queue, built once. */
typedef struct sc__queue_keys {
    sc_slice base; /* "bull:email:" */
    sc_slice key[SC__QUEUE_KEY_COUNT];
    char *memory; /* what the slices point into */
} sc__queue_keys;

/* Can they name a queue? SC_EINVAL with a reason. */
SC_MUST_USE sc_err sc__queue_names_check(sc_slice prefix, sc_slice name, sc_reason *ret_reason);

/* Checks prefix (empty: "bull") and name, and builds. SC_EINVAL with a reason. */
SC_MUST_USE sc_err sc__queue_keys_init(sc__queue_keys *keys, sc_slice prefix, sc_slice name,
                                       sc_reason *ret_reason);

/* Of a job's key: ours have ids of 4 KiB at most, those of others may be longer. */
#define SC__JOB_KEY_MAX (64 * 1024)

/* Appends the key of a job's hash, or with a suffix (":logs", ":lock") one beside it. Fails as `out` does, with
 * a reason. */
SC_MUST_USE sc_err sc__queue_job_key(sc__str *out, const sc__queue_keys *keys, sc_slice id,
                                     const char *suffix, sc_reason *ret_reason);

void sc__queue_keys_release(sc__queue_keys *keys);

#endif
