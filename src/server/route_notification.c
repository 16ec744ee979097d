/* Notifications of a user. */
#include "app/app.h"
#include "app/services/notifications.h"
#include "app/shapes.h"
#include "base/error.h"
#include "handlers.h"
#include "people.h"
#include "request.h"

enum { PAGE_DEFAULT = 20, PAGE_MAX = 100, OFFSET_MAX = 1000 * 1000 };

sc_err route_notifications(struct request *request, sc_reason *ret_reason)
{
    sc__str out = STR_MAX(ANSWER_MAX);
    struct notifications list = {NULL, 0};
    int64_t limit = 0, offset = 0;
    sc_slice user, unread = {NULL, 0};
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = request_query_int(request, "limit", PAGE_DEFAULT, 1, PAGE_MAX, &limit, ret_reason);
    if (!err)
        err = request_query_int(request, "offset", 0, 0, OFFSET_MAX, &offset, ret_reason);
    if (!err)
        err = request_query(request, "unread", &unread, ret_reason);
    if (!err)
        err = notification_list(request->shared->app->notifier, user,
                                sc_slice_eq(unread, SC_S("true")), limit, offset, &request->arena,
                                &list, ret_reason);
    if (err)
        return err;
    notifications_shape(&out, &list);
    return answer_json(request, 200, &out);
}

static sc_err read_notification(struct request *request, const json_t *body, struct notification *n,
                                sc_reason *ret_reason)
{
    const struct {
        const char *name;
        sc_slice *text;
    } fields[] = {{"type", &n->type},
                  {"title", &n->title},
                  {"message", &n->message},
                  {"actionUrl", &n->action_url},
                  {"key", &n->key}};

    for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
        sc_err err = request_text(body, fields[i].name, fields[i].text, ret_reason);

        if (err)
            return err;
    }
    return request_member(request, body, "metadata", &n->metadata, ret_reason);
}

sc_err route_notification_create(struct request *request, sc_reason *ret_reason)
{
    sc__str out = STR_MAX(ANSWER_MAX);
    struct notification n = {.id = {NULL, 0}};
    AUTO_JSON *body = NULL;
    sc_err err = request_json(request, &body, ret_reason);

    if (!err)
        err = request_user(request, &n.user_id, ret_reason);
    if (!err)
        err = read_notification(request, body, &n, ret_reason);
    if (!err)
        err = notification_create(request->shared->app->notifier, &n, &request->arena, ret_reason);
    if (err)
        return err;
    notification_shape(&out, &n);
    return answer_json(request, 201, &out);
}

sc_err route_notification_count(struct request *request, sc_reason *ret_reason)
{
    enum sc_cache_source source = SC_CACHE_MISS;
    int64_t count = 0, age_ms = 0;
    sc_slice user;
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = notification_count_unread(request->shared->app->notifier, user, &count, &source,
                                        &age_ms, ret_reason);
    if (err)
        return err;
    answer_cache_source(request, source == SC_CACHE_HIT || source == SC_CACHE_NEAR, age_ms);
    return answer_value(request, 200, json_pack("{s:I}", "unread", (json_int_t)count));
}

static sc_err mark_read(struct request *request, sc_slice id, sc_reason *ret_reason)
{
    int64_t count = 0;
    sc_slice user;
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = notification_mark_read(request->shared->app->notifier, user, id, &count, ret_reason);
    return err ? err : answer_value(request, 200, json_pack("{s:I}", "marked", (json_int_t)count));
}

sc_err route_notification_read(struct request *request, sc_reason *ret_reason)
{
    return mark_read(request, request_param(request, "nid"), ret_reason);
}

sc_err route_notifications_read(struct request *request, sc_reason *ret_reason)
{
    return mark_read(request, (sc_slice){NULL, 0}, ret_reason);
}
