/* Stores an event, in one transaction with those of other jobs that run now. */
#include "app/processors.h"

#include "app/services/analytics.h"

sc_outcome process_analytics(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    struct app *app = user;
    AUTO_STR properties = STR_MAX(PAYLOAD_MAX);
    struct event event = {
        .key = processor_key(run, app, QUEUE_ANALYTICS, job),
        .name = sc__json_text(payload, "event"),
        .user_id = sc__json_text(payload, "userId"),
        .at_ms = payload_date(payload, "timestamp"),
    };
    sc_reason why = {""};

    sc__json_write(&properties, json_object_get(payload, "properties"));
    if (properties.err || !event.key.len)
        return sc_run_fail(run, SC_FAILED, "out of memory");
    event.properties = sc__str_slice(&properties);
    if (analytics_record(app->analytics, &event, &why))
        return sc_run_fail(run, SC_FAILED, "%s", why.text);
    return processor_return(run, json_pack("{s:b}", "recorded", 1));
}
