/* What a Redis says of itself (INFO). */
#ifndef CLI_SERVER_INFO_H
#define CLI_SERVER_INFO_H

#include <storychain/client.h>

#include "base/arena.h"

/* The answer to INFO, in the arena. */
SC_MUST_USE sc_err server_info_read(sc_client *client, sc__arena *arena, const char **ret_info,
                                    sc_reason *ret_reason);

/* A field of it; -1 when it has none of that name, or no number. */
int64_t server_info_int(const char *info, const char *field);

/* Likewise a text, up to the end of its line; {NULL, 0} when there is none. */
sc_slice server_info_text(const char *info, const char *field);

#endif
