/* How late a queue's schedules are. */
#ifndef SERVER_OVERDUE_H
#define SERVER_OVERDUE_H

#include <storychain/scheduler.h>

/* The greatest age of a run that is due and has not been made, in ms; 0: all is well, or it is not known. Of schedules that are
 * neither paused nor over; among the 100 that are due first. */
int64_t schedules_overdue_ms(sc_queue *queue);

#endif
