/* Counts of requests, for /metrics. */
#ifndef SERVER_TRAFFIC_H
#define SERVER_TRAFFIC_H

#include "base/str.h"

struct route;
struct traffic;

SC_MUST_USE sc_err traffic_new(struct traffic **ret_traffic);
void traffic_free(struct traffic *traffic); /* NULL is fine */

/* A request ended. `route` NULL: none fits. Lock-free, any thread. */
void traffic_count(struct traffic *traffic, const struct route *route, int status, int64_t took_ns);

/* Appends the figures as Prometheus text. */
void traffic_write(const struct traffic *traffic, sc__str *out);

#endif
