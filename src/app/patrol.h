/* A patrol: a thread that does something now and then, and rests in between.
 *
 * Running from start to stop; a stop ends its rest, and waits for what it does. */
#ifndef APP_PATROL_H
#define APP_PATROL_H

#include <storychain/base.h>

struct patrol;

/* Called on the patrol's thread, the first time at once. Returns the seconds to rest. */
typedef int (*patrol_look)(void *user);

/* `user` is kept until patrol_stop(). SC_ENOMEM with a sentence. */
SC_MUST_USE sc_err patrol_start(patrol_look look, void *user, struct patrol **ret_patrol,
                                sc_reason *ret_reason);
void patrol_stop(struct patrol *patrol); /* NULL is fine */

#endif
