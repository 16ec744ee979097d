/* The HTTP server: API, dashboard, health and metrics on one port.
 *
 * libmicrohttpd's threads read requests and write answers and never wait for anything else; what
 * may wait (the store, Redis) runs on a bounded set of runners. When all of them are busy and the
 * line before them is full, requests are refused with 503 at once. Probes and the dashboard's
 * files are answered even then. */
#ifndef SERVER_HTTP_H
#define SERVER_HTTP_H

#include <storychain/base.h>

struct app;
struct http;

struct http_opts {
    /* "127.0.0.1:8080", "[::1]:8080", "localhost:8080"; port 0: any free one. NULL: the first. */
    const char *listen;
    /* Anyone who reaches the port may steer the queues, so that only loopback addresses are
     * accepted unless this is set. */
    bool allow_remote;
    int socket;          /* of listen_open(), taken in any case, instead of `listen`; 0: none */
    struct app *app;     /* kept until http_stop() */
    size_t max_body;     /* bytes of a request's body; 0: 1 MiB */
    int max_connections; /* 0: 4,096 */
    int max_connections_per_addr; /* 0: 2,048 */
    int runners;                  /* threads that answer; 0: 16 */
    int max_writes;               /* of one client's address in a minute; 0: 1,200 */
    int64_t receive_ms;           /* for a request to arrive, head and body each; 0: 15,000 */
    int64_t send_ms;              /* for an answer to be taken; 0: 60,000 */
};

/* Listens and answers from then on. SC_EINVAL: the address can't be used; SC_EPERM: it is not a
 * loopback one; SC_EBUSY: the port is in use; the reason names the address and what to do. */
SC_MUST_USE sc_err http_start(const struct http_opts *opts, struct http **ret_http,
                              sc_reason *ret_reason);

/* Where it listens: "http://127.0.0.1:8080". Valid until http_stop(). */
const char *http_url(const struct http *http);

/* Takes no more requests, ends those under way, frees. NULL is fine. */
void http_stop(struct http *http);

#endif
