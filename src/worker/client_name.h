/* The name of a worker's blocking connection, by which BullMQ's getWorkers() and its dashboards find it. */
#ifndef SC_WORKER_CLIENT_NAME_H
#define SC_WORKER_CLIENT_NAME_H

#include "base/str.h"

/* {prefix}:{base64 of the queue's name}, and :w:{worker} when that is not empty. The server takes no spaces
 * or control bytes in such a name: a worker's name with one is left out, a prefix with one leaves all empty. */
void sc__worker_client_name(sc__str *out, sc_slice prefix, sc_slice queue, sc_slice worker);

#endif
