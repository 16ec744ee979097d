/* What the other rooms of this floor need of a queue that they are given. Defined in src/queue/. */
#ifndef SC_OPS_QUEUE_HANDLE_H
#define SC_OPS_QUEUE_HANDLE_H

#include <storychain/scheduler.h>

#include "keys.h"

/* All of it lives as long as the queue. */
sc_client *sc__queue_client(const sc_queue *queue);
const sc__queue_keys *sc__queue_names(const sc_queue *queue);
sc_slice
sc__queue_default_opts(const sc_queue *queue); /* stored form of its jobs' default options */

const sc_repeat_strategy *
sc__queue_repeat_strategy(const sc_queue *queue); /* without next(): there is none */

/* Notes in meta, in the background and once, that jobs of the queue may have options of ours (`opts.sc`). */
void sc__queue_mark_extensions(sc_queue *queue);

#endif
