/* Whose layout the queue's data has: the one place that says which BullMQ we answer to. */
#ifndef SC_OPS_LAYOUT_H
#define SC_OPS_LAYOUT_H

#define SC__LAYOUT_VERSION "bullmq:6.7.0" /* as it stands in a queue's `meta` */
#define SC__LAYOUT_MAX_EVENTS 10000       /* cap of the event stream when nothing was said */

/* The field of meta that tells of jobs with extensions of ours. */
#define SC__META_EXTENSIONS "sc:extensions"

#endif
