#include "processors.h"

#include <stdio.h>

static const struct {
    enum queue_id queue;
    queue_processor process;
} processors[] = {
    {QUEUE_EMAIL, process_email},         {QUEUE_NOTIFICATION, process_notification},
    {QUEUE_ANALYTICS, process_analytics}, {QUEUE_CLEANUP, process_cleanup},
    {QUEUE_EXPORT, process_export},
};

sc_err processors_register(struct app *app, sc_reason *ret_reason)
{
    for (size_t i = 0; i < sizeof(processors) / sizeof(*processors); i++) {
        sc_err err = queues_register_processor(app->queues, processors[i].queue,
                                               processors[i].process, app, ret_reason);

        if (err)
            return err;
    }
    return SC_OK;
}

/* Ids begin anew when Redis loses its data; with the date of creation they don't repeat. */
sc_slice processor_key(sc_run *run, const struct app *app, enum queue_id id, const sc_job *job)
{
    const char *prefix = queues_prefix(app->queues), *queue = queue_rule_of(id)->name;
    size_t size = strlen(prefix) + strlen(queue) + job->id.len + 32;
    char *key = sc_run_alloc(run, size);
    int len;

    if (!key)
        return SC_S("");
    len = snprintf(key, size, "%s:%s:%.*s:%lld", prefix, queue, (int)job->id.len, job->id.ptr,
                   (long long)job->timestamp_ms);
    return (sc_slice){key, (size_t)len};
}

sc_outcome processor_return(sc_run *run, json_t *result)
{
    AUTO_JSON *owned = result;
    AUTO_STR text = STR_MAX(64 * 1024);

    if (owned)
        sc__json_write(&text, owned);
    if (!owned || text.err)
        return sc_run_fail(run, SC_FAILED, "out of memory");
    return sc_run_return(run, sc__str_slice(&text));
}
