/* Chapters of a story: reading and publishing them. */
#include "app/app.h"
#include "app/services/chapters.h"
#include "handlers.h"
#include "people.h"
#include "request.h"

sc_err route_chapter(struct request *request, sc_reason *ret_reason)
{
    const struct catalog *catalog = &request->shared->app->catalog;
    sc_cache_value value;
    sc_err err = chapter_detail_json(catalog, request_param(request, "slug"),
                                     request_param(request, "chapter"), &value, ret_reason);

    return err ? err : answer_cached(request, 200, &value);
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
    return err ? err : body_user(request, body, "author", &draft->author_id, ret_reason);
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
        err = request_blame_body(request, chapter_publish(catalog, story, &draft, &request->arena,
                                                          &chapter, &unheard, ret_reason));
    if (!err)
        err = chapter_detail_json(catalog, story, chapter->slug, &value, ret_reason);
    if (err)
        return err;
    err = answer_cached(request, 201, &value);
    answer_location(request, chapter->slug);
    answer_header(request, "X-Readers-Told", unheard ? "no" : "yes");
    return err;
}
