/* Commands of tests_peer that change jobs and steer queues. */
#include <storychain/control.h>

#include <stdlib.h>

#include "peer.h"

/* A member as JSON text; free with free(). */
static char *json_member(const json_t *args, const char *name)
{
    return json_dumps(json_object_get(args, name), JSON_COMPACT | JSON_ENCODE_ANY);
}

typedef sc_err (*json_setter)(sc_queue *queue, sc_slice id, sc_slice json, sc_reason *ret_reason);

static sc_err set_json(sc_queue *queue, const json_t *args, const char *name, json_setter set,
                       sc_reason *ret_reason)
{
    char *json = json_member(args, name);
    sc_err err =
        set(queue, sc__json_text(args, "jobId"), sc_slice_of(json ? json : ""), ret_reason);

    free(json);
    return err;
}

static sc_err retry_with(sc_queue *queue, const json_t *args, sc_reason *ret_reason)
{
    const sc_retry_opts opts = {sc__json_bool(args, "resetAttemptsMade", false),
                                sc__json_bool(args, "resetAttemptsStarted", false)};

    return sc_queue_retry_with(queue, sc__json_text(args, "jobId"), &opts, ret_reason);
}

static sc_err do_dependency_counts(struct peer *peer, const json_t *args, json_t **ret_result,
                                   sc_reason *ret_reason)
{
    sc_dependency_counts counts;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_dependency_counts(queue, sc__json_text(args, "jobId"), &counts,
                                             ret_reason);
    if (!err)
        *ret_result = json_pack("{s:I, s:I, s:I, s:I}", "processed", (json_int_t)counts.processed,
                                "unprocessed", (json_int_t)counts.unprocessed, "ignored",
                                (json_int_t)counts.ignored, "failed", (json_int_t)counts.failed);
    return err;
}

static sc_err do_global_concurrency(struct peer *peer, const json_t *args, json_t **ret_result,
                                    sc_reason *ret_reason)
{
    int64_t n;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_global_concurrency(queue, &n, ret_reason);
    if (!err)
        *ret_result = n ? json_integer(n) : json_null();
    return err;
}

static sc_err do_global_rate_limit(struct peer *peer, const json_t *args, json_t **ret_result,
                                   sc_reason *ret_reason)
{
    sc_global_rate_limit limit;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_global_rate_limit(queue, &limit, ret_reason);
    if (!err)
        *ret_result = limit.max ? json_pack("{s:I, s:I}", "max", (json_int_t)limit.max, "duration",
                                            (json_int_t)limit.duration_ms)
                                : json_null();
    return err;
}

static sc_err do_is_maxed(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason)
{
    bool maxed;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_is_maxed(queue, &maxed, ret_reason);
    if (!err)
        *ret_result = json_boolean(maxed);
    return err;
}

static sc_err do_rate_limit_ttl(struct peer *peer, const json_t *args, json_t **ret_result,
                                sc_reason *ret_reason)
{
    int64_t ms;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_rate_limit_ttl(queue, sc__json_int(args, "maxJobs", 0), &ms, ret_reason);
    if (!err)
        *ret_result = json_integer(ms);
    return err;
}

static sc_err do_trim_events(struct peer *peer, const json_t *args, json_t **ret_result,
                             sc_reason *ret_reason)
{
    int64_t removed;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_trim_events(queue, sc__json_int(args, "keep", 0), &removed, ret_reason);
    if (!err)
        *ret_result = json_integer(removed);
    return err;
}

static sc_err do_priority_counts(struct peer *peer, const json_t *args, json_t **ret_result,
                                 sc_reason *ret_reason)
{
    const json_t *list = json_object_get(args, "priorities");
    int64_t priorities[16], counts[16];
    size_t n = json_array_size(list) < 16 ? json_array_size(list) : 16;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    for (size_t i = 0; i < n; i++)
        priorities[i] = json_integer_value(json_array_get(list, i));
    if (!err)
        err = sc_queue_get_priority_counts(queue, priorities, n, counts, ret_reason);
    if (err)
        return err;
    *ret_result = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(*ret_result, json_integer(counts[i]));
    return SC_OK;
}

static sc_err set_rate_limit(sc_queue *queue, const json_t *args, sc_reason *ret_reason)
{
    const sc_global_rate_limit limit = {sc__json_int(args, "max", 0),
                                        sc__json_int(args, "duration", 0)};

    return sc_queue_set_global_rate_limit(queue, &limit, ret_reason);
}

/* Calls that give nothing. */
#define STEER(name, call)                                                                          \
    static sc_err name(struct peer *peer, const json_t *args, json_t **ret_result,                 \
                       sc_reason *ret_reason)                                                      \
    {                                                                                              \
        sc_queue *queue;                                                                           \
        sc_err err = peer_queue(peer, args, &queue, ret_reason);                                   \
                                                                                                   \
        if (!err)                                                                                  \
            err = call;                                                                            \
        if (!err)                                                                                  \
            *ret_result = json_null();                                                             \
        return err;                                                                                \
    }

/* Calls that give a number, `n`. */
#define COUNT(name, call)                                                                          \
    static sc_err name(struct peer *peer, const json_t *args, json_t **ret_result,                 \
                       sc_reason *ret_reason)                                                      \
    {                                                                                              \
        int64_t n;                                                                                 \
        sc_queue *queue;                                                                           \
        sc_err err = peer_queue(peer, args, &queue, ret_reason);                                   \
                                                                                                   \
        if (!err)                                                                                  \
            err = call;                                                                            \
        if (!err)                                                                                  \
            *ret_result = json_integer(n);                                                         \
        return err;                                                                                \
    }

#define ID sc__json_text(args, "jobId")
#define FLAG(name) sc__json_bool(args, name, false)
#define STATE sc_job_state_of(sc__json_text(args, "state"))
#define INT(name) sc__json_int(args, name, 0)

STEER(do_update_data, set_json(queue, args, "data", sc_queue_update_data, ret_reason))
STEER(do_update_progress, set_json(queue, args, "progress", sc_queue_update_progress, ret_reason))
STEER(do_add_log, sc_queue_add_log(queue, ID, sc__json_text(args, "row"), INT("keep"), ret_reason))
STEER(do_clear_logs, sc_queue_clear_logs(queue, ID, INT("keep"), ret_reason))
STEER(do_change_delay, sc_queue_change_delay(queue, ID, INT("delay"), ret_reason))
STEER(do_change_priority, sc_queue_change_priority(queue, ID, INT("priority"),
                                                   sc__json_bool(args, "lifo", false), ret_reason))
STEER(do_retry_with, retry_with(queue, args, ret_reason))
STEER(do_set_concurrency, sc_queue_set_global_concurrency(queue, INT("concurrency"), ret_reason))
STEER(do_remove_concurrency, sc_queue_remove_global_concurrency(queue, ret_reason))
STEER(do_set_rate_limit, set_rate_limit(queue, args, ret_reason))
STEER(do_remove_rate_limit, sc_queue_remove_global_rate_limit(queue, ret_reason))
COUNT(do_drain, sc_queue_drain(queue, FLAG("delayed"), NULL, &n, ret_reason))
COUNT(do_clean, sc_queue_clean(queue, STATE, INT("grace"), INT("limit"), NULL, &n, ret_reason))
COUNT(do_retry_jobs,
      sc_queue_retry_jobs(queue, STATE, INT("before"), INT("limit"), NULL, &n, ret_reason))
COUNT(do_promote_jobs, sc_queue_promote_jobs(queue, INT("limit"), NULL, &n, ret_reason))
COUNT(do_obliterate, sc_queue_obliterate(queue, FLAG("force"), NULL, &n, ret_reason))
COUNT(do_remove_orphans, sc_queue_remove_orphans(queue, INT("limit"), NULL, &n, ret_reason))
STEER(do_remove_limiter, sc_queue_remove_rate_limit_key(queue, ret_reason))
STEER(do_rate_limit, sc_queue_rate_limit(queue, INT("duration"), ret_reason))

const struct peer_command peer_control_commands[] = {
    {"updateData", do_update_data},
    {"updateProgress", do_update_progress},
    {"addLog", do_add_log},
    {"clearLogs", do_clear_logs},
    {"changeDelay", do_change_delay},
    {"changePriority", do_change_priority},
    {"retryWith", do_retry_with},
    {"dependencyCounts", do_dependency_counts},
    {"setGlobalConcurrency", do_set_concurrency},
    {"removeGlobalConcurrency", do_remove_concurrency},
    {"getGlobalConcurrency", do_global_concurrency},
    {"isMaxed", do_is_maxed},
    {"setGlobalRateLimit", do_set_rate_limit},
    {"removeGlobalRateLimit", do_remove_rate_limit},
    {"removeRateLimitKey", do_remove_limiter},
    {"getGlobalRateLimit", do_global_rate_limit},
    {"rateLimit", do_rate_limit},
    {"getRateLimitTtl", do_rate_limit_ttl},
    {"priorityCounts", do_priority_counts},
    {"trimEvents", do_trim_events},
    {"drain", do_drain},
    {"clean", do_clean},
    {"retryJobs", do_retry_jobs},
    {"promoteJobs", do_promote_jobs},
    {"obliterate", do_obliterate},
    {"removeOrphans", do_remove_orphans},
    {NULL, NULL},
};
