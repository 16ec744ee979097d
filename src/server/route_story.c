/* Stories, their chapters, and who reads them. */
#include "app/app.h"
#include "app/services/chapters.h"
#include "app/services/stories.h"
#include "app/services/users.h"
#include "base/error.h"
#include "handlers.h"
#include "people.h"
#include "request.h"

/* Answers with what a service gave, and says where that came from. */
static sc_err answer_cached(struct request *request, int status, sc_cache_value *value)
{
    sc_err err = answer_json_copy(request, status, value->bytes);

    answer_cache_source(request, value->source == SC_CACHE_HIT, value->age_ms);
    if (status == 200)
        request->answer.caching = ANSWER_REVALIDATE;
    sc_cache_value_release(value);
    return err;
}

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

sc_err route_stories(struct request *request, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    enum story_list list = STORY_LIST_PUBLISHED;
    sc_slice name, text = {NULL, 0};
    sc_cache_value value;
    sc_err err = request_query(request, "list", &name, ret_reason);

    if (!err)
        err = request_query(request, "q", &text, ret_reason);
    if (err)
        return err;
    if (text.ptr)
        return search(request, text, ret_reason);
    if (name.ptr && story_list_find(name, &list))
        return sc__because(ret_reason, SC_EINVAL,
                           "there is no list \"%.40s\": published, new or featured", name.ptr);
    err = story_list_json(catalog, list, &value, ret_reason);
    return err ? err : answer_cached(request, 200, &value);
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

/* ---- Chapters ---- */

sc_err route_chapter(struct request *request, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_cache_value value;
    sc_err err = chapter_detail_json(catalog, request_param(request, "slug"),
                                     request_param(request, "chapter"), &value, ret_reason);

    return err ? err : answer_cached(request, 200, &value);
}

/* What the body says wrong is 422; that the story is not there stays 404. */
static sc_err blame_body(struct request *request, sc_err err)
{
    if (err == SC_EINVAL)
        request->answer.status = 422;
    return err;
}

static sc_err read_author(struct request *request, const json_t *body, sc_slice *ret_id,
                          sc_reason *ret_reason)
{
    struct user *user;
    sc_slice id;
    sc_err err = request_text(body, "author", &id, ret_reason);

    if (err)
        return err;
    if (!id.len)
        return sc__because(ret_reason, SC_EPAYLOAD, "author is missing: the id of who wrote it");
    err = person_get(request, id, &user, ret_reason);
    if (err == SC_ENOTFOUND)
        return SC_EPAYLOAD;
    if (!err)
        *ret_id = user->id;
    return err;
}

static sc_err read_draft(struct request *request, const json_t *body, struct chapter_draft *draft,
                         sc_reason *ret_reason)
{
    sc_err err = request_text(body, "title", &draft->title, ret_reason);

    if (!err)
        err = request_text(body, "slug", &draft->slug, ret_reason);
    if (!err)
        err = request_text(body, "content", &draft->content, ret_reason);
    if (!err)
        err = request_text(body, "parent", &draft->parent_slug, ret_reason);
    return err ? err : read_author(request, body, &draft->author_id, ret_reason);
}

/* The new chapter's address: the one that was posted to, and the slug. */
static void answer_location(struct request *request, sc_slice slug)
{
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
    AUTO_STR location = STR_MAX(8 * 1024);

    sc__str_append(&location, request->path);
    sc__str_char(&location, '/');
    for (size_t i = 0; i < slug.len; i++) {
        if (memchr(safe, slug.ptr[i], sizeof(safe) - 1))
            sc__str_char(&location, slug.ptr[i]);
        else
            sc__str_printf(&location, "%%%02X", (unsigned)(unsigned char)slug.ptr[i]);
    }
    if (!location.err)
        answer_header(request, "Location", location.ptr);
}

sc_err route_chapter_publish(struct request *request, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_slice story = request_param(request, "slug");
    struct chapter_draft draft = {.slug = {NULL, 0}};
    AUTO_JSON *body = NULL;
    struct chapter *chapter = NULL;
    sc_cache_value value;
    sc_err unheard = SC_OK, err = request_json(request, &body, ret_reason);

    if (!err)
        err = read_draft(request, body, &draft, ret_reason);
    if (!err)
        err = blame_body(request, chapter_publish(catalog, story, &draft, &request->arena, &chapter,
                                                  &unheard, ret_reason));
    if (!err)
        err = chapter_detail_json(catalog, story, chapter->slug, &value, ret_reason);
    if (err)
        return err;
    err = answer_cached(request, 201, &value);
    answer_location(request, chapter->slug);
    answer_header(request, "X-Readers-Told", unheard ? "no" : "yes");
    return err;
}

/* ---- Users ---- */

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
