#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <storychain/limiter.h>

#include "app/app.h"
#include "app/cache_ttl.h"
#include "base/error.h"
#include "base/mem.h"
#include "conns.h"
#include "exchange.h"
#include "listen.h"
#include "queue_index.h"
#include "traffic.h"

enum {
    IO_THREADS = 2,
    RUNNERS = 16,
    WAITING_MAX = 512,
    HEAD_MAX = 32 * 1024, /* of a request: line and headers */
    BODY_MAX = 1024 * 1024,
    CONNECTIONS = 4096,
    CONNECTIONS_PER_ADDR = 2048,
    RECEIVE_MS = 15 * 1000,
    SEND_MS = 60 * 1000,
    DRAIN_MS = 5 * 1000,
    WRITES = 1200,    /* of a client in a minute */
    SPARE_FILES = 256 /* for the rest of the program */
};

struct http {
    struct http_shared shared;
    struct MHD_Daemon *daemon;
    char url[LISTEN_URL];
};

/* Paths and queries are decoded by request_decode(), which refuses what this would let pass. */
static size_t leave_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

/* Each connection is an open file; systems allow 1,024 unless asked. */
static void allow_files(rlim_t wanted)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= wanted)
        return;
    limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

static int or_default(int64_t value, int otherwise)
{
    return value > 0 ? (int)value : otherwise;
}

static sc_err start_daemon(struct http *http, const struct http_opts *opts, int fd,
                           sc_reason *ret_reason)
{
    unsigned connections = (unsigned)or_default(opts->max_connections, CONNECTIONS);
    unsigned per_addr = (unsigned)or_default(opts->max_connections_per_addr, CONNECTIONS_PER_ADDR);

    allow_files(connections + SPARE_FILES);
    http->daemon = MHD_start_daemon(
        MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
        exchange_on_request, &http->shared, MHD_OPTION_LISTEN_SOCKET, fd,
        MHD_OPTION_THREAD_POOL_SIZE, (unsigned)IO_THREADS, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_addr, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK,
        exchange_on_target, &http->shared, MHD_OPTION_NOTIFY_COMPLETED, exchange_on_completed,
        &http->shared, MHD_OPTION_NOTIFY_CONNECTION, exchange_on_connection, &http->shared,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_END);
    if (!http->daemon)
        return sc__because(ret_reason, SC_EIO, "the HTTP server could not start: %s",
                           strerror(errno));
    return SC_OK;
}

static sc_err make_limiter(struct http_shared *shared, const struct http_opts *opts)
{
    const sc_limiter_opts limit = {.max = or_default(opts->max_writes, WRITES),
                                   .window_ms = cache_ttl_ms(CACHE_TTL_RATE_LIMIT)};

    return sc_limiter_new(opts->app->client, &limit, &shared->limiter, NULL);
}

static sc_err make_shared(struct http_shared *shared, const struct http_opts *opts)
{
    int connections = or_default(opts->max_connections, CONNECTIONS);
    int per_addr = or_default(opts->max_connections_per_addr, CONNECTIONS_PER_ADDR);
    sc_err err = traffic_new(&shared->traffic);

    shared->app = opts->app;
    shared->max_body = opts->max_body ? opts->max_body : BODY_MAX;
    /* Behind a proxy all come from one address, which may have no more than its share. */
    if (!err)
        err = conns_new((size_t)(connections < per_addr ? connections : per_addr),
                        or_default(opts->receive_ms, RECEIVE_MS),
                        or_default(opts->send_ms, SEND_MS), &shared->conns);
    if (!err)
        err = queue_index_new(opts->app, &shared->queues);
    if (!err && opts->app)
        err = make_limiter(shared, opts);
    if (!err)
        err = runners_new(or_default(opts->runners, RUNNERS), WAITING_MAX, &shared->runners);
    return err;
}

sc_err http_start(const struct http_opts *opts, struct http **ret_http, sc_reason *ret_reason)
{
    struct http *http = sc__calloc(1, sizeof(*http));
    int fd = opts->socket ? opts->socket : -1;
    sc_err err = SC_OK;

    if (!http) {
        if (fd >= 0)
            close(fd);
        return sc__because(ret_reason, SC_ENOMEM, "the HTTP server could not start: out of memory");
    }
    http->shared.loopback_only = !opts->allow_remote;
    if (fd >= 0)
        listen_url(fd, http->url);
    else
        err = listen_open(opts->listen, opts->allow_remote, &fd, http->url, ret_reason);
    if (err)
        goto out;
    err = make_shared(&http->shared, opts);
    if (err) {
        (void)sc__because(ret_reason, err, "the HTTP server could not start: %s", sc_err_text(err));
        goto out;
    }
    err = start_daemon(http, opts, fd, ret_reason);
    fd = -1; /* the daemon's now, even when it failed */
    if (err)
        goto out;
    *ret_http = http;
    return SC_OK;
out:
    if (fd >= 0)
        close(fd);
    http_stop(http);
    return err;
}

const char *http_url(const struct http *http)
{
    return http->url;
}

/* Runners end first: libmicrohttpd can't stop while a connection is suspended. */
void http_stop(struct http *http)
{
    int fd = -1;

    if (!http)
        return;
    if (http->daemon)
        fd = MHD_quiesce_daemon(http->daemon);
    if (fd >= 0)
        shutdown(
            fd,
            SHUT_RDWR); /* nobody connects any more; its number is in use until the daemon's threads end */
    if (http->shared.runners)
        runners_close(http->shared.runners);
    if (http->shared.conns)
        conns_drain(http->shared.conns, DRAIN_MS);
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    if (fd >= 0)
        close(fd);
    runners_free(http->shared.runners);
    sc_limiter_free(http->shared.limiter);
    queue_index_free(http->shared.queues);
    conns_free(http->shared.conns);
    traffic_free(http->shared.traffic);
    sc_free(http);
}
