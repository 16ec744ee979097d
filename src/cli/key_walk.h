/* Walks over the keys of a Redis that match a pattern, by SCAN, for commands that show what lies there. */
#ifndef CLI_KEY_WALK_H
#define CLI_KEY_WALK_H

#include <storychain/client.h>

/* Some keys of the walk, as an array of strings; a key may come twice. False ends the walk. */
typedef bool (*key_walk_cb)(void *user, const sc_reply *keys);

/* SC_EREPLY and the like with a reason. */
SC_MUST_USE sc_err key_walk(sc_client *client, const char *pattern, key_walk_cb cb, void *user,
                            sc_reason *ret_reason);

#endif
