/* Settings of a queue that all its workers obey: checks what the caller gives, and does it. */
#include <storychain/control.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "ops/job_opts.h"
#include "ops/op_settings.h"
#include "queue.h"

enum { PRIORITIES_MAX = 1000 };

static sc_err check_positive(const char *what, int64_t value, sc_reason *ret_reason)
{
    if (value >= 1)
        return SC_OK;
    return sc__because(ret_reason, SC_EINVAL, "the %s is %lld; at least 1", what, (long long)value);
}

sc_err sc_queue_set_global_concurrency(sc_queue *queue, int64_t concurrency, sc_reason *ret_reason)
{
    sc_err err = check_positive("global concurrency", concurrency, ret_reason);

    return err ? err : sc__op_set_concurrency(queue->client, &queue->keys, concurrency, ret_reason);
}

sc_err sc_queue_remove_global_concurrency(sc_queue *queue, sc_reason *ret_reason)
{
    return sc__op_remove_concurrency(queue->client, &queue->keys, ret_reason);
}

sc_err sc_queue_get_global_concurrency(sc_queue *queue, int64_t *ret_concurrency,
                                       sc_reason *ret_reason)
{
    return sc__op_get_concurrency(queue->client, &queue->keys, ret_concurrency, ret_reason);
}

sc_err sc_queue_is_maxed(sc_queue *queue, bool *ret_maxed, sc_reason *ret_reason)
{
    return sc__op_is_maxed(queue->client, &queue->keys, ret_maxed, ret_reason);
}

sc_err sc_queue_set_global_rate_limit(sc_queue *queue, const sc_global_rate_limit *limit,
                                      sc_reason *ret_reason)
{
    sc_err err = check_positive("rate limit's number of jobs", limit->max, ret_reason);

    if (!err)
        err = check_positive("rate limit's duration", limit->duration_ms, ret_reason);
    return err ? err : sc__op_set_rate_limit(queue->client, &queue->keys, limit, ret_reason);
}

sc_err sc_queue_remove_global_rate_limit(sc_queue *queue, sc_reason *ret_reason)
{
    return sc__op_remove_rate_limit(queue->client, &queue->keys, ret_reason);
}

sc_err sc_queue_get_global_rate_limit(sc_queue *queue, sc_global_rate_limit *ret_limit,
                                      sc_reason *ret_reason)
{
    return sc__op_get_rate_limit(queue->client, &queue->keys, ret_limit, ret_reason);
}

sc_err sc_queue_rate_limit(sc_queue *queue, int64_t duration_ms, sc_reason *ret_reason)
{
    sc_err err = check_positive("duration", duration_ms, ret_reason);

    return err ? err : sc__op_fill_limiter(queue->client, &queue->keys, duration_ms, ret_reason);
}

sc_err sc_queue_remove_rate_limit_key(sc_queue *queue, sc_reason *ret_reason)
{
    return sc__op_empty_limiter(queue->client, &queue->keys, ret_reason);
}

sc_err sc_queue_get_rate_limit_ttl(sc_queue *queue, int64_t max_jobs, int64_t *ret_ttl_ms,
                                   sc_reason *ret_reason)
{
    if (max_jobs < 0)
        return sc__because(ret_reason, SC_EINVAL, "the number of jobs is %lld; 0 or more",
                           (long long)max_jobs);
    return sc__op_limiter_ttl(queue->client, &queue->keys, max_jobs, ret_ttl_ms, ret_reason);
}

/* The priorities as texts. */
struct priority_texts {
    sc_slice args[PRIORITIES_MAX];
    char digits[PRIORITIES_MAX][SC__INT_LEN];
};

static sc_err write_priorities(struct priority_texts *texts, const int64_t *priorities,
                               size_t count, sc_reason *ret_reason)
{
    for (size_t i = 0; i < count; i++) {
        if (priorities[i] < 0 || priorities[i] > SC__PRIORITY_MAX)
            return sc__because(ret_reason, SC_EINVAL, "the priority is %lld; it is 0 to %d",
                               (long long)priorities[i], SC__PRIORITY_MAX);
        texts->args[i] =
            (sc_slice){texts->digits[i], sc__int_text(priorities[i], texts->digits[i])};
    }
    return SC_OK;
}

sc_err sc_queue_get_priority_counts(sc_queue *queue, const int64_t *priorities, size_t count,
                                    int64_t *ret_counts, sc_reason *ret_reason)
{
    struct priority_texts *texts;
    sc_err err;

    if (count > PRIORITIES_MAX)
        return sc__because(ret_reason, SC_ETOOBIG, "%zu priorities; the limit is %d", count,
                           PRIORITIES_MAX);
    texts = sc__malloc(sizeof(*texts));
    if (!texts)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = write_priorities(texts, priorities, count, ret_reason);
    if (!err)
        err = sc__op_priority_counts(queue->client, &queue->keys, texts->args, count, ret_counts,
                                     ret_reason);
    sc_free(texts);
    return err;
}

sc_err sc_queue_trim_events(sc_queue *queue, int64_t keep, int64_t *ret_removed,
                            sc_reason *ret_reason)
{
    int64_t removed;
    sc_err err;

    if (keep < 0)
        return sc__because(ret_reason, SC_EINVAL, "the number of events to keep is %lld; 0 or more",
                           (long long)keep);
    err = sc__op_trim_events(queue->client, &queue->keys, keep, &removed, ret_reason);
    if (!err && ret_removed)
        *ret_removed = removed;
    return err;
}
