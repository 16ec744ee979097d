/* Events of analytics: what readers and writers did. */
#include "app/app.h"
#include "app/queues.h"
#include "handlers.h"
#include "request.h"

/* Queued, not stored yet: 202 with the id of the job that stores it. */
sc_err route_event(struct request *request, sc_reason *ret_reason)
{
    AUTO_JSON *body = NULL;
    struct track track = {.at_ms = 0};
    char *id = NULL;
    json_t *answer;
    sc_err err = request_json(request, &body, ret_reason);

    if (!err)
        err = request_text(body, "event", &track.event, ret_reason);
    if (!err)
        err = request_text(body, "userId", &track.user_id, ret_reason);
    if (!err)
        err = request_member(request, body, "properties", &track.properties, ret_reason);
    if (!err)
        err = queues_track_analytics(request->shared->app->queues, &track, &id, ret_reason);
    if (err)
        return err;
    answer = json_pack("{s:s}", "job", id);
    sc_free(id);
    return answer_value(request, 202, answer);
}
