/* The names of blocking connections, by which BullMQ's getWorkers(), getQueueEvents() and its dashboards find them. */
#ifndef SC_OPS_CLIENT_NAME_H
#define SC_OPS_CLIENT_NAME_H

#include "base/str.h"

/* {prefix}:{base64 of the queue's name}, and :w:{worker} when that is not empty. The server takes no spaces
 * or control bytes in such a name: a worker's name with one is left out, a prefix with one leaves all empty. */
void sc__worker_client_name(sc__str *out, sc_slice prefix, sc_slice queue, sc_slice worker);

/* {prefix}:{base64 of the queue's name}:qe, of a reader of events. Empty like that, too. */
void sc__events_client_name(sc__str *out, sc_slice prefix, sc_slice queue);

#endif
