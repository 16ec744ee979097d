/* Users as requests name them: by their id here, or by their id at Clerk. */
#ifndef SERVER_PEOPLE_H
#define SERVER_PEOPLE_H

#include "app/store/store.h"
#include "request.h"

/* The user with that id; allocated in the request's arena. SC_ENOTFOUND with a sentence. */
SC_MUST_USE sc_err person_get(struct request *request, sc_slice id, struct user **ret_user,
                              sc_reason *ret_reason);

/* The id (here) of the user that the path names as ":id". SC_ENOTFOUND with a sentence. */
SC_MUST_USE sc_err request_user(struct request *request, sc_slice *ret_id, sc_reason *ret_reason);

/* The id (here) of the user whom a member of the body names. SC_EPAYLOAD: it is missing, or there is
 * no such user. */
SC_MUST_USE sc_err body_user(struct request *request, const json_t *body, const char *name,
                             sc_slice *ret_id, sc_reason *ret_reason);

#endif
