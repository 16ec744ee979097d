/* Who may ask: the checks before a route's handler. */
#ifndef SERVER_GUARD_H
#define SERVER_GUARD_H

#include "request.h"

/* A server on a loopback address has visitors of this machine only, so that a Host that is neither
 * an address nor "localhost" is another site's name that was pointed here (DNS rebinding).
 * SC_EPERM, and 421 in the answer. */
SC_MUST_USE sc_err guard_host(struct request *request, sc_reason *ret_reason);

/* Refuses writes that a page of another site makes with a visitor's browser (CSRF). `proof`: the
 * request must show that it is none, by Sec-Fetch-Site or Origin. SC_EPERM. */
SC_MUST_USE sc_err guard_origin(struct request *request, bool proof, sc_reason *ret_reason);

/* Counts a write of the client's address. SC_EOVERLOAD, and 429 with Retry-After in the answer, when it
 * has made too many; while the limiter can't ask Redis all are let through. Waits for Redis. */
SC_MUST_USE sc_err guard_rate(struct request *request, sc_reason *ret_reason);

#endif
