/* SIGTERM and SIGINT for the programs that stay. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include <stdbool.h>

/* Takes both signals for the whole process; to be called before any other thread starts. Until signals_wait() or signals_note() one of
 * them ends the process at once: nothing is under way yet. False when there is no room for a thread. */
bool signals_start(void);

/* From now on a signal does not end the process: what is under way asks signals_came() and ends by itself. A second one ends it
 * at once. */
void signals_note(void);
bool signals_came(void);

/* Waits for the first one. A second one while it is being followed means now: the process ends at once, and jobs under
 * way are taken up by another worker when their locks end. */
void signals_wait(void);

#endif
