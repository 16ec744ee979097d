/* Users. Conventions as in stories.h. */
#ifndef APP_SERVICES_USERS_H
#define APP_SERVICES_USERS_H

#include "catalog.h"

/* Adds the user, or changes name and email (absent ones stay) of the one with that clerk_id.
 * `user` gets what is stored. A new user with a mail address is sent a welcome, if catalog->notifier
 * is there. SC_EINVAL: clerk_id or, of a new user, name is missing; too long, not UTF-8, no mail
 * address. */
SC_MUST_USE sc_err user_put(const struct catalog *catalog, struct user *user, sc__arena *arena,
                            bool *ret_created, sc_reason *ret_reason);

/* The profile, by the id at Clerk. SC_ENOTFOUND. */
SC_MUST_USE sc_err user_profile_json(const struct catalog *catalog, sc_slice clerk_id,
                                     sc_cache_value *ret_json, sc_reason *ret_reason);

#endif
