#include "schedules.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

#include "app/jobs/jobs.h"

enum { JITTER_MS = 60 * 1000, DAY_MS = 24 * 3600 * 1000 };

struct schedules {
    struct queues *queues;
    sc_scheduler_guard *guard; /* every node has one */
};

const char *schedule_pattern_find(sc_slice name)
{
    static const struct {
        const char *name, *cron;
    } patterns[] = {
#define X(name, cron) {#name, cron},
        SCHEDULE_PATTERNS(X)
#undef X
    };

    for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
        if (sc_slice_eq(name, sc_slice_of(patterns[i].name)))
            return patterns[i].cron;
    return NULL;
}

/* A run never overlaps the one before it: it is skipped, or where each counts it follows. It comes at its own moment within the minute. */
static sc_err upsert(struct schedules *schedules, const struct scheduled_job *job, sc_slice cron,
                     sc_slice data, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    const sc_job_opts opts = queue_opts_with_id(SC_S(""));
    const sc_job_spec spec = {sc_slice_of(job->name), data, &opts};
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.pattern = cron;
    repeat.overlap = job->catchup == SC_CATCHUP_ALL ? SC_OVERLAP_BUFFER_ALL : SC_OVERLAP_SKIP;
    repeat.catchup = job->catchup;
    repeat.catchup_window_ms = job->window_days * DAY_MS;
    repeat.jitter_ms = JITTER_MS;
    return sc_scheduler_upsert(queues_get(schedules->queues, QUEUE_SCHEDULED), spec.name, &repeat,
                               &spec, NULL, ret_next_ms, ret_reason);
}

static sc_err register_all(struct schedules *schedules, sc_reason *ret_reason)
{
    sc_reason why = {""};

    for (const struct scheduled_job *job = scheduled_jobs; job->name; job++) {
        sc_err err =
            upsert(schedules, job, sc_slice_of(job->cron), sc_slice_of(job->data), NULL, &why);

        if (err)
            return sc__because(ret_reason, err, "schedule %s: %s", job->name,
                               why.text[0] ? why.text : sc_err_text(err));
    }
    return SC_OK;
}

sc_err schedules_guard(struct queues *queues, struct schedules **ret_schedules,
                       sc_reason *ret_reason)
{
    struct schedules *schedules = sc__calloc(1, sizeof(*schedules));
    sc_err err;

    if (!schedules)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    schedules->queues = queues;
    err = sc_scheduler_guard_start(queues_get(queues, QUEUE_SCHEDULED), NULL, &schedules->guard);
    if (err) {
        schedules_destroy(schedules);
        return sc__because(ret_reason, err, "the schedules' guardian: %s", sc_err_text(err));
    }
    *ret_schedules = schedules;
    return SC_OK;
}

sc_err schedules_initialize(struct queues *queues, struct schedules **ret_schedules,
                            sc_reason *ret_reason)
{
    struct schedules *schedules;
    sc_err err = schedules_guard(queues, &schedules, ret_reason);

    if (err)
        return err;
    err = register_all(schedules, ret_reason);
    if (err) {
        schedules_destroy(schedules);
        return err;
    }
    *ret_schedules = schedules;
    return SC_OK;
}

void schedules_destroy(struct schedules *schedules)
{
    if (!schedules)
        return;
    sc_scheduler_guard_stop(schedules->guard);
    sc_free(schedules);
}

static sc_err write_data(const struct scheduled_job *job, const json_t *data, sc__str *out,
                         sc_reason *ret_reason)
{
    sc_err err;

    if (!data) {
        sc__str_text(out, job->data);
        return out->err;
    }
    err = payload_check(payload_scheduled, data, ret_reason);
    if (err)
        return err;
    sc__json_write(out, data);
    return out->err ? sc__because(ret_reason, SC_EPAYLOAD, "the data is over %d KiB long",
                                  PAYLOAD_MAX / 1024)
                    : SC_OK;
}

sc_err schedules_upsert(struct schedules *schedules, sc_slice name, sc_slice cron,
                        const json_t *data, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    const struct scheduled_job *job = scheduled_job_find(name);
    const char *pattern = schedule_pattern_find(cron);
    AUTO_STR text = STR_MAX(PAYLOAD_MAX);
    sc_err err;

    if (!job)
        return sc__because(ret_reason, SC_ENOTFOUND, "there is no scheduled job \"%.*s\"",
                           (int)(name.len < 100 ? name.len : 100), name.ptr);
    err = write_data(job, data, &text, ret_reason);
    if (err)
        return err;
    return upsert(schedules, job, pattern ? sc_slice_of(pattern) : cron, sc__str_slice(&text),
                  ret_next_ms, ret_reason);
}

sc_err schedules_remove(struct schedules *schedules, sc_slice name, sc_reason *ret_reason)
{
    sc_err err = sc_scheduler_remove(queues_get(schedules->queues, QUEUE_SCHEDULED), name);

    if (err)
        return sc__because(ret_reason, err, "schedule \"%.*s\": %s",
                           (int)(name.len < 100 ? name.len : 100), name.ptr, sc_err_text(err));
    return SC_OK;
}
