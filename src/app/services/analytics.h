/* Analytics: events go to the store in batches, one transaction for all that come within a moment.
 *
 * A caller waits until its event is on the disk: what was answered "recorded" is. With n callers at
 * work a batch holds up to n events. */
#ifndef APP_SERVICES_ANALYTICS_H
#define APP_SERVICES_ANALYTICS_H

#include "app/store/store.h"

struct analytics;

SC_MUST_USE sc_err analytics_new(struct store *store, struct analytics **ret_analytics,
                                 sc_reason *ret_reason);
void analytics_free(struct analytics *analytics); /* after the last call ended; NULL is fine */

/* Stores the event; a second one with its key changes nothing. Errors as of store_events_insert. */
SC_MUST_USE sc_err analytics_record(struct analytics *analytics, const struct event *event,
                                    sc_reason *ret_reason);

struct analytics_stats {
    uint64_t events, batches; /* stored since the start */
};

void analytics_stats_get(struct analytics *analytics, struct analytics_stats *ret_stats);

#endif
