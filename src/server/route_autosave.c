/* Autosaves: what a user is writing, kept until it is published. */
#include "app/app.h"
#include "app/services/chapters.h"
#include "app/shapes.h"
#include "base/error.h"
#include "handlers.h"
#include "people.h"
#include "request.h"

static sc_err answer_autosave(struct request *request, const struct autosave *autosave)
{
    sc__str out = STR_MAX(ANSWER_MAX);

    autosave_shape(&out, autosave);
    return answer_json(request, 200, &out);
}

static sc_err no_autosave(const struct request *request, sc_reason *ret_reason)
{
    sc_slice chapter = request_param(request, "chapter");

    return sc__because(ret_reason, SC_ENOTFOUND, "the user has no autosave \"%.*s\" of this story",
                       (int)(chapter.len < 100 ? chapter.len : 100), chapter.ptr);
}

sc_err route_autosave(struct request *request, sc_reason *ret_reason)
{
    struct autosave *autosave = NULL;
    sc_slice user;
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = autosave_find(&request->shared->app->catalog, user, request_param(request, "slug"),
                            request_param(request, "chapter"), &request->arena, &autosave,
                            ret_reason);
    if (err)
        return err;
    return autosave ? answer_autosave(request, autosave) : no_autosave(request, ret_reason);
}

sc_err route_autosave_put(struct request *request, sc_reason *ret_reason)
{
    AUTO_JSON *body = NULL;
    struct autosave autosave;
    sc_slice user = {NULL, 0}, title = {NULL, 0}, content = {NULL, 0};
    sc_err err = request_json(request, &body, ret_reason);

    if (!err)
        err = request_text(body, "title", &title, ret_reason);
    if (!err)
        err = request_text(body, "content", &content, ret_reason);
    if (!err)
        err = request_user(request, &user, ret_reason);
    if (!err)
        err = request_blame_body(request, autosave_put(&request->shared->app->catalog, user,
                                                       request_param(request, "slug"),
                                                       request_param(request, "chapter"), title,
                                                       content, &autosave, ret_reason));
    return err ? err : answer_autosave(request, &autosave);
}

sc_err route_autosave_remove(struct request *request, sc_reason *ret_reason)
{
    bool removed = false;
    sc_slice user;
    sc_err err = request_user(request, &user, ret_reason);

    if (!err)
        err = autosave_remove(&request->shared->app->catalog, user, request_param(request, "slug"),
                              request_param(request, "chapter"), &removed, ret_reason);
    if (err)
        return err;
    if (!removed)
        return no_autosave(request, ret_reason);
    return answer_value(request, 200, json_pack("{s:b}", "removed", 1));
}
