/* The routes: one table, from which requests are answered and the API's reference is made. */
#ifndef SERVER_ROUTES_H
#define SERVER_ROUTES_H

#include "request.h"

enum route_scope {
    SCOPE_PROBE,  /* answered at once by the thread that reads: never waits */
    SCOPE_READ,   /* on a runner, as all that follow */
    SCOPE_WRITE,  /* limited per client; not from other sites' pages */
    SCOPE_OPERATE /* as SCOPE_WRITE; steers queues: only with a proof that no other site asked */
};

/* Fills the request's answer, or gives an error that becomes the problem with `ret_reason` as its
 * detail; the status is the answer's if set, else the one that the error stands for. */
typedef sc_err (*route_handler)(struct request *request, sc_reason *ret_reason);

struct route {
    const char *method; /* HEAD is served as GET */
    const char *path;   /* a part ":name" takes any text but "" */
    route_handler handler;
    enum route_scope scope;
    const char *summary;
};

extern const struct route routes[]; /* ends with a NULL method */

size_t routes_count(void);

/* The route of a request, its parameters decoded into the request. NULL: none; then `ret_allow`
 * says which methods the path has ("GET, HEAD, POST"; "" : no such path). */
enum { ROUTES_ALLOW = 64 };
SC_MUST_USE sc_err routes_find(struct request *request, const struct route **ret_route,
                               char ret_allow[ROUTES_ALLOW], sc_reason *ret_reason);

#endif
