/* Users: who they are, what they write and what they have read. */
#include "app/app.h"
#include "app/services/chapters.h"
#include "app/services/stories.h"
#include "app/services/users.h"
#include "app/shapes.h"
#include "handlers.h"
#include "people.h"
#include "request.h"

/* By the id at Clerk, which the cache knows; else by the id here. */
sc_err route_user(struct request *request, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_slice id = request_param(request, "id");
    sc_cache_value value;
    struct user *user;
    sc_err err = user_profile_json(catalog, id, &value, ret_reason);

    if (err == SC_ENOTFOUND) {
        err = person_get(request, id, &user, ret_reason);
        if (!err)
            err = user_profile_json(catalog, user->clerk_id, &value, ret_reason);
    }
    return err ? err : answer_cached(request, 200, &value);
}

sc_err route_user_stories(struct request *request, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_cache_value value;
    sc_slice id;
    sc_err err = request_user(request, &id, ret_reason);

    if (!err)
        err = story_user_list_json(catalog, id, &value, ret_reason);
    return err ? err : answer_cached(request, 200, &value);
}

static sc_err read_user(const json_t *body, struct user *user, sc_reason *ret_reason)
{
    sc_err err = request_text(body, "clerkId", &user->clerk_id, ret_reason);

    if (!err)
        err = request_text(body, "name", &user->name, ret_reason);
    return err ? err : request_text(body, "email", &user->email, ret_reason);
}

sc_err route_user_put(struct request *request, sc_reason *ret_reason)
{
    sc__str out = STR_MAX(ANSWER_MAX);
    struct user user = {.id = {NULL, 0}};
    AUTO_JSON *body = NULL;
    bool created = false;
    sc_err err = request_json(request, &body, ret_reason);

    if (!err)
        err = read_user(body, &user, ret_reason);
    if (!err)
        err = request_blame_body(request, user_put(&request->shared->app->catalog, &user,
                                                   &request->arena, &created, ret_reason));
    if (err)
        return err;
    user_shape(&out, &user);
    if (created)
        answer_location(request, user.id);
    return answer_json(request, created ? 201 : 200, &out);
}

/* ---- What the user has read ---- */

static sc_err answer_history(struct request *request, sc_slice user_id, sc_reason *ret_reason)
{
    sc_cache_value value;
    sc_err err = chapter_history_json(&request->shared->app->catalog, user_id,
                                      request_param(request, "slug"), &value, ret_reason);

    return err ? err : answer_cached(request, 200, &value);
}

sc_err route_history(struct request *request, sc_reason *ret_reason)
{
    sc_slice id;
    sc_err err = request_user(request, &id, ret_reason);

    return err ? err : answer_history(request, id, ret_reason);
}

sc_err route_history_read(struct request *request, sc_reason *ret_reason)
{
    sc_slice id;
    sc_err err = request_user(request, &id, ret_reason);

    if (!err)
        err = chapter_mark_read(&request->shared->app->catalog, id, request_param(request, "slug"),
                                request_param(request, "chapter"), ret_reason);
    return err ? err : answer_history(request, id, ret_reason);
}
