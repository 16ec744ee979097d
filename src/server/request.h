/* A request and its answer: one arena, from the request's first line to the answer's last byte.
 *
 * NEW      its first line was read;
 * READING  its body arrives; `answer` may already say why it is refused;
 * RUNNING  on a runner (or about to be), which fills `answer`;
 * SENT     the answer is libmicrohttpd's. */
#ifndef SERVER_REQUEST_H
#define SERVER_REQUEST_H

#include <storychain/limiter.h>

#include "answer.h"
#include "base/arena.h"
#include "base/json.h"
#include "runners.h"

struct MHD_Connection;
struct conn;
struct route;

/* What all requests share; lives as long as the server. */
struct http_shared {
    struct app *app;
    struct conns *conns;
    struct traffic *traffic;
    struct runners *runners;
    struct queue_index *queues;
    sc_limiter *limiter; /* of writes */
    size_t max_body;
    bool loopback_only;
};

enum request_stage { REQUEST_NEW, REQUEST_READING, REQUEST_RUNNING, REQUEST_SENT };

enum { REQUEST_PARAMS = 4, REQUEST_ARENA_MAX = 64 * 1024 * 1024 };

struct request {
    struct http_shared *shared;
    struct MHD_Connection *connection;
    struct conn *conn;
    struct run run;
    enum request_stage stage;
    sc__arena arena;
    const char *method;              /* "GET" also when it was HEAD */
    sc_slice path;                   /* as it was sent, percent-encoded, without the query */
    sc_slice query;                  /* likewise; after the '?' */
    const struct route *route;       /* NULL: none has this path and method */
    sc_slice params[REQUEST_PARAMS]; /* decoded, in the order of the route's path */
    char peer[64];                   /* the client's address, without its port */
    sc__str body;
    size_t discarded; /* bytes of a body that is over its limit */
    int64_t began_ns;
    struct answer answer;
};

/* `target` is the request line's, path and query. NULL when out of memory. */
struct request *request_new(struct http_shared *shared, const char *target);
void request_free(struct request *request); /* NULL is fine */

/* A part of the path by its name in the route ("slug"). Valid UTF-8 without control characters. */
sc_slice request_param(const struct request *request, const char *name);

/* A member of the query, decoded; {NULL, 0} when absent. SC_EINVAL: it can't be decoded. */
SC_MUST_USE sc_err request_query(struct request *request, const char *name, sc_slice *ret_value,
                                 sc_reason *ret_reason);

/* A number of the query: `otherwise` when absent, the nearest of `min` and `max` when beyond.
 * SC_EINVAL: not a number. */
SC_MUST_USE sc_err request_query_int(struct request *request, const char *name, int64_t otherwise,
                                     int64_t min, int64_t max, int64_t *ret_value,
                                     sc_reason *ret_reason);

/* NULL when absent. */
const char *request_header(const struct request *request, const char *name);

/* The body as a JSON object; free with json_decref. Otherwise says 415 (not application/json) or
 * 400 in the answer's status. */
SC_MUST_USE sc_err request_json(struct request *request, json_t **ret_object,
                                sc_reason *ret_reason);

/* A text of a JSON body; {NULL, 0} when absent or null. Borrowed from it. SC_EPAYLOAD: of another type. */
SC_MUST_USE sc_err request_text(const json_t *body, const char *name, sc_slice *ret_text,
                                sc_reason *ret_reason);

/* The JSON text of a member of any type; {NULL, 0} when absent or null. In the request's arena.
 * SC_ETOOBIG: over 64 KiB. */
SC_MUST_USE sc_err request_member(struct request *request, const json_t *body, const char *name,
                                  sc_slice *ret_text, sc_reason *ret_reason);

/* Gives back the error of a service; what it calls not valid came in the body, and is 422. */
sc_err request_blame_body(struct request *request, sc_err err);

/* Undoes percent-encoding ('+' stays). SC_EINVAL: a cut off or senseless escape, a control
 * character, or bytes that are not UTF-8. */
SC_MUST_USE sc_err request_decode(struct request *request, sc_slice raw, sc_slice *ret_text,
                                  sc_reason *ret_reason);

#endif
