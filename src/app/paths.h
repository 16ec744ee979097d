/* Where things are in the state folder: storychain.db, redis/, mail/. */
#ifndef APP_PATHS_H
#define APP_PATHS_H

#include "base/arena.h"

/* Makes the folder (mode 0700) and those above it, if missing. SC_EPERM, SC_EIO with a sentence that names it: it
 * is no folder, or not ours to write. */
SC_MUST_USE sc_err state_folder_make(const char *folder, sc_reason *ret_reason);

/* In the arena; NULL without memory. */
char *state_store_url(const char *folder, sc__arena *arena);
char *state_redis_folder(const char *folder, sc__arena *arena);
char *state_mail_folder(const char *folder, sc__arena *arena);

#endif
