/* A pulse: a thread that does something now and then, and rests in between.
 *
 * Running from start to stop; a stop ends its rest, and waits for what it does. */
#ifndef APP_PULSE_H
#define APP_PULSE_H

#include <storychain/base.h>

struct pulse;

/* Called on the pulse's thread, the first time at once. Returns the seconds to rest. */
typedef int (*pulse_beat)(void *user);

/* `user` is kept until pulse_stop(). SC_ENOMEM with a sentence. */
SC_MUST_USE sc_err pulse_start(pulse_beat beat, void *user, struct pulse **ret_pulse,
                               sc_reason *ret_reason);
void pulse_stop(struct pulse *pulse); /* NULL is fine */

#endif
