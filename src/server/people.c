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
