/* The handlers that routes[] names; each is described by its row there. */
#ifndef SERVER_HANDLERS_H
#define SERVER_HANDLERS_H

#include <storychain/base.h>

struct request;

/* route_page.c */
sc_err route_page(struct request *request, sc_reason *ret_reason);
sc_err route_asset(struct request *request, sc_reason *ret_reason);

/* route_health.c */
sc_err route_healthz(struct request *request, sc_reason *ret_reason);

#endif
