/* Stories: lists of them, reading one, and what changes them. */
#include "app/app.h"
#include "app/services/stories.h"
#include "app/services/trending.h"
#include "app/shapes.h"
#include "base/error.h"
#include "handlers.h"
#include "people.h"
#include "request.h"

/* ---- Lists ---- */

static sc_err search(struct request *request, sc_slice text, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_cache_value value;
    sc_err err;

    if (!text.len)
        return sc__because(ret_reason, SC_EINVAL, "q has no words to look for");
    err = story_search_json(catalog, text, &value, ret_reason);
    return err ? err : answer_cached(request, 200, &value);
}

static sc_err list_stories(struct request *request, sc_slice name, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    enum story_list list = STORY_LIST_PUBLISHED;
    sc_cache_value value;
    sc_err err;

    if (sc_slice_eq(name, SC_S("trending")))
        err = trending_list_json(catalog, &value, ret_reason);
    else if (name.ptr && story_list_find(name, &list))
        return sc__because(ret_reason, SC_EINVAL,
                           "there is no list \"%.40s\": published, new, featured or trending",
                           name.ptr);
    else
        err = story_list_json(catalog, list, &value, ret_reason);
    return err ? err : answer_cached(request, 200, &value);
}

sc_err route_stories(struct request *request, sc_reason *ret_reason)
{
    sc_slice name, text = {NULL, 0};
    sc_err err = request_query(request, "list", &name, ret_reason);

    if (!err)
        err = request_query(request, "q", &text, ret_reason);
    if (err)
        return err;
    return text.ptr ? search(request, text, ret_reason) : list_stories(request, name, ret_reason);
}

/* ---- One story ---- */

static sc_err answer_story(struct request *request,
                           sc_err (*make)(const struct catalog *, sc_slice, sc_cache_value *,
                                          sc_reason *),
                           sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_cache_value value;
    sc_err err = make(catalog, request_param(request, "slug"), &value, ret_reason);

    return err ? err : answer_cached(request, 200, &value);
}

sc_err route_story(struct request *request, sc_reason *ret_reason)
{
    return answer_story(request, story_detail_json, ret_reason);
}

sc_err route_story_overview(struct request *request, sc_reason *ret_reason)
{
    return answer_story(request, story_overview_json, ret_reason);
}

sc_err route_story_tree(struct request *request, sc_reason *ret_reason)
{
    return answer_story(request, story_tree_json, ret_reason);
}

/* ---- Writing ---- */

static sc_err answer_written(struct request *request, int status, const struct story *story)
{
    sc__str out = STR_MAX(ANSWER_MAX);

    story_shape(&out, story);
    return answer_json(request, status, &out);
}

static sc_err read_publish(const json_t *body, bool *ret_publish, sc_reason *ret_reason)
{
    const json_t *value = json_object_get(body, "publish");

    if (value && !json_is_boolean(value))
        return sc__because(ret_reason, SC_EPAYLOAD, "publish must be true or false");
    *ret_publish = !json_is_false(value);
    return SC_OK;
}

static sc_err read_draft(struct request *request, const json_t *body, struct story_draft *draft,
                         sc_reason *ret_reason)
{
    sc_err err = request_text(body, "title", &draft->title, ret_reason);

    if (!err)
        err = request_text(body, "slug", &draft->slug, ret_reason);
    if (!err)
        err = request_text(body, "summary", &draft->summary, ret_reason);
    if (!err)
        err = request_member(request, body, "tags", &draft->tags, ret_reason);
    if (!err)
        err = read_publish(body, &draft->publish, ret_reason);
    return err ? err : body_user(request, body, "author", &draft->author_id, ret_reason);
}

sc_err route_story_create(struct request *request, sc_reason *ret_reason)
{
    struct story_draft draft = {.slug = {NULL, 0}};
    AUTO_JSON *body = NULL;
    struct story *story = NULL;
    sc_err err = request_json(request, &body, ret_reason);

    if (!err)
        err = read_draft(request, body, &draft, ret_reason);
    if (!err)
        err = request_blame_body(request, story_create(&request->shared->app->catalog, &draft,
                                                       &request->arena, &story, ret_reason));
    if (err)
        return err;
    answer_location(request, story->slug);
    return answer_written(request, 201, story);
}

sc_err route_story_publish(struct request *request, sc_reason *ret_reason)
{
    struct story *story = NULL;
    sc_err err = story_publish(&request->shared->app->catalog, request_param(request, "slug"),
                               &request->arena, &story, ret_reason);

    return err ? err : answer_written(request, 200, story);
}

static sc_err follow(struct request *request, bool follow, sc_reason *ret_reason)
{
    sc_slice user;
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = story_follow(&request->shared->app->catalog, request_param(request, "slug"), user,
                           follow, NULL, ret_reason);
    return err ? err : answer_story(request, story_detail_json, ret_reason);
}

sc_err route_story_follow(struct request *request, sc_reason *ret_reason)
{
    return follow(request, true, ret_reason);
}

sc_err route_story_unfollow(struct request *request, sc_reason *ret_reason)
{
    return follow(request, false, ret_reason);
}

/* `role` absent: no longer. */
static sc_err collaborate(struct request *request, sc_slice role, sc_reason *ret_reason)
{
    sc_slice user;
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = request_blame_body(request, story_collaborate(&request->shared->app->catalog,
                                                            request_param(request, "slug"), user,
                                                            role, ret_reason));
    return err ? err : answer_story(request, story_overview_json, ret_reason);
}

sc_err route_collaborator_put(struct request *request, sc_reason *ret_reason)
{
    AUTO_JSON *body = NULL;
    sc_slice role;
    sc_err err = request_json(request, &body, ret_reason);

    if (!err)
        err = request_text(body, "role", &role, ret_reason);
    if (err)
        return err;
    if (!role.ptr)
        return sc__because(ret_reason, SC_EPAYLOAD, "role is missing: \"editor\", for example");
    return collaborate(request, role, ret_reason);
}

sc_err route_collaborator_remove(struct request *request, sc_reason *ret_reason)
{
    return collaborate(request, (sc_slice){NULL, 0}, ret_reason);
}
