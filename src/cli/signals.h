/* SIGTERM and SIGINT for the programs that stay. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/* Takes both signals for the whole process; to be called before any other thread starts. Until signals_wait() one of
 * them ends the process at once: nothing is under way yet. False when there is no room for a thread. */
bool signals_start(void);

/* Waits for the first one. A second one while it is being followed means now: the process ends at once, and jobs under
 * way are taken up by another worker when their locks end. */
void signals_wait(void);

#endif
