#include "people.h"

#include "app/app.h"
#include "base/error.h"

sc_err person_get(struct request *request, sc_slice id, struct user **ret_user,
                  sc_reason *ret_reason)
{
    struct store *store = request->shared->app->store;
    struct user *user = NULL;
    sc_err err = store_user_find(store, id, &request->arena, &user, ret_reason);

    if (!err && !user)
        err = store_user_find_by_clerk_id(store, id, &request->arena, &user, ret_reason);
    if (err)
        return err;
    if (!user)
        return sc__because(ret_reason, SC_ENOTFOUND, "there is no user \"%.*s\"",
                           (int)(id.len < 100 ? id.len : 100), id.ptr ? id.ptr : "");
    *ret_user = user;
    return SC_OK;
}

sc_err request_user(struct request *request, sc_slice *ret_id, sc_reason *ret_reason)
{
    struct user *user;
    sc_err err = person_get(request, request_param(request, "id"), &user, ret_reason);

    if (!err)
        *ret_id = user->id;
    return err;
}

sc_err body_user(struct request *request, const json_t *body, const char *name, sc_slice *ret_id,
                 sc_reason *ret_reason)
{
    struct user *user;
    sc_slice id;
    sc_err err = request_text(body, name, &id, ret_reason);

    if (err)
        return err;
    if (!id.len)
        return sc__because(ret_reason, SC_EPAYLOAD, "%s is missing: the id of a user", name);
    err = person_get(request, id, &user, ret_reason);
    if (err == SC_ENOTFOUND)
        return SC_EPAYLOAD;
    if (!err)
        *ret_id = user->id;
    return err;
}
