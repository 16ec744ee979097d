/* The watchdog: starts a Redis of our own again when it died. One thread, one look a second. */
#ifndef APP_WATCHDOG_H
#define APP_WATCHDOG_H

#include <storychain/embedded.h>

struct watchdog;

/* Uses `redis` until watchdog_stop. */
SC_MUST_USE sc_err watchdog_start(sc_embedded *redis, struct watchdog **ret_watchdog,
                                  sc_reason *ret_reason);
void watchdog_stop(struct watchdog *watchdog); /* NULL is fine */

#endif
