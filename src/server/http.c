#include "http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <storychain/limiter.h>

#include "app/app.h"
#include "app/cache_ttl.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "conns.h"
#include "guard.h"
#include "listen.h"
#include "queue_index.h"
#include "request.h"
#include "routes.h"
#include "traffic.h"

enum {
    IO_THREADS = 2,
    RUNNERS = 16,
    WAITING_MAX = 512,
    HEAD_MAX = 32 * 1024, /* of a request: line and headers */
    BODY_MAX = 1024 * 1024,
    /* So much more of a body is read and thrown away, so that its sender sees the answer. */
    DISCARD_FACTOR = 8,
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

/* ---- A request's way ---- */

static void fail(struct request *request, sc_err err, const sc_reason *reason)
{
    int status = request->answer.status;

    answer_problem(request, status >= 400 ? status : 0, err, reason->text);
}

static enum MHD_Result send_answer(struct request *request)
{
    request->stage = REQUEST_SENT;
    conn_step(request->conn, CONN_SENDING);
    return answer_send(request) ? MHD_YES : MHD_NO;
}

/* On a runner, but for probes. */
static void call_handler(struct request *request)
{
    sc_reason reason = {""};
    sc_err err = SC_OK;

    if (request->route->scope >= SCOPE_WRITE)
        err = guard_rate(request, &reason);
    if (!err)
        err = request->route->handler(request, &reason);
    if (err)
        fail(request, err, &reason);
}

/* After MHD_resume_connection() the request is the other thread's. */
static void run_handler(struct run *run)
{
    struct request *request = (struct request *)((char *)run - offsetof(struct request, run));

    call_handler(request);
    MHD_resume_connection(request->connection);
}

static enum MHD_Result run_or_refuse(struct request *request)
{
    sc_err err;

    request->stage = REQUEST_RUNNING;
    conn_step(request->conn, CONN_RUNNING);
    if (request->answer.status >= 400)
        return send_answer(request);
    if (request->route->scope != SCOPE_PROBE && !request->shared->app) {
        answer_problem(request, 503, SC_ESTATE, "the server has no application behind it");
        return send_answer(request);
    }
    if (request->route->scope == SCOPE_PROBE) {
        call_handler(request);
        return send_answer(request);
    }
    request->run.run = run_handler;
    MHD_suspend_connection(request->connection);
    err = runners_submit(request->shared->runners, &request->run);
    if (!err)
        return MHD_YES;
    answer_problem(request, 503, err, "the server has too much to do now: try again in a moment");
    MHD_resume_connection(request->connection);
    return MHD_YES;
}

/* The route, or why there is none, in the request's answer. */
static void find_route(struct request *request)
{
    char allowed[ROUTES_ALLOW], text[160];
    sc_reason reason = {""};
    sc_err err = guard_host(request, &reason);

    if (!err)
        err = routes_find(request, &request->route, allowed, &reason);
    if (err) {
        fail(request, err, &reason);
    } else if (!request->route && !allowed[0]) {
        answer_problem(request, 404, SC_ENOTFOUND, "there is nothing at this address");
    } else if (!request->route) {
        snprintf(text, sizeof(text), "%s is not for this address, which takes %s", request->method,
                 allowed);
        answer_problem(request, 405, SC_EINVAL, text);
        answer_header(request, "Allow", allowed);
    }
}

static void check_scope(struct request *request)
{
    sc_reason reason = {""};
    sc_err err = SC_OK;

    if (request->answer.status || request->route->scope < SCOPE_WRITE)
        return;
    err = guard_origin(request, request->route->scope == SCOPE_OPERATE, &reason);
    if (err)
        fail(request, err, &reason);
}

static void refuse_body(struct request *request)
{
    char text[120];

    snprintf(text, sizeof(text), "the body is larger than %zu bytes", request->shared->max_body);
    answer_problem(request, 413, SC_ETOOBIG, text);
}

/* The body's length as its sender says; 0 when it doesn't. */
static int64_t said_length(const struct request *request)
{
    const char *length = request_header(request, "Content-Length");
    int64_t bytes = 0;

    return length && sc__int_parse(sc_slice_of(length), &bytes) ? bytes : 0;
}

static void check_length(struct request *request)
{
    if (said_length(request) > (int64_t)request->shared->max_body)
        refuse_body(request);
}

/* A refused body is not worth waiting for when its sender asks first, or when it is so long that
 * it would not be read to its end. */
static bool is_answered_now(const struct request *request)
{
    return request->answer.status >= 400 &&
           (request_header(request, "Expect") ||
            said_length(request) > (int64_t)(request->shared->max_body * DISCARD_FACTOR));
}

static void name_peer(struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    const struct sockaddr *addr = info ? info->client_addr : NULL;
    socklen_t len = addr && addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
                                                        : sizeof(struct sockaddr_in);

    if (!addr ||
        getnameinfo(addr, len, request->peer, sizeof(request->peer), NULL, 0, NI_NUMERICHOST))
        snprintf(request->peer, sizeof(request->peer), "unknown");
}

static enum MHD_Result begin(struct request *request, struct MHD_Connection *connection,
                             const char *method)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);

    request->connection = connection;
    request->conn = info ? info->socket_context : NULL;
    request->stage = REQUEST_READING;
    request->method =
        strcmp(method, "HEAD") == 0 ? "GET" : sc__arena_dup(&request->arena, sc_slice_of(method));
    if (!request->method)
        return MHD_NO;
    conn_step(request->conn, CONN_READING);
    name_peer(request);
    find_route(request);
    check_scope(request);
    check_length(request);
    return is_answered_now(request) ? send_answer(request) : MHD_YES;
}

static enum MHD_Result take_body(struct request *request, sc_slice bytes)
{
    size_t max = request->shared->max_body;

    if (request->answer.status >= 400) {
        request->discarded += bytes.len;
        return request->discarded > max * DISCARD_FACTOR ? MHD_NO : MHD_YES;
    }
    sc__str_append(&request->body, bytes);
    if (request->body.err == SC_ETOOBIG)
        refuse_body(request);
    return request->body.err == SC_ENOMEM ? MHD_NO : MHD_YES;
}

/* ---- libmicrohttpd's callbacks ---- */

static void *on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    struct http *http = cls;

    (void)connection;
    return request_new(&http->shared, target);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **context)
{
    struct request *request = *context;
    size_t len = *upload_len;

    (void)cls;
    (void)url;
    (void)version;
    if (!request)
        return MHD_NO;
    if (request->stage == REQUEST_NEW)
        return begin(request, connection, method);
    if (request->stage == REQUEST_RUNNING)
        return send_answer(request);
    if (!len)
        return run_or_refuse(request);
    *upload_len = 0;
    return take_body(request, (sc_slice){upload, len});
}

static void on_completed(void *cls, struct MHD_Connection *connection, void **context,
                         enum MHD_RequestTerminationCode code)
{
    struct http *http = cls;
    struct request *request = *context;

    (void)connection;
    (void)code;
    if (!request)
        return;
    if (request->stage == REQUEST_SENT)
        traffic_count(http->shared.traffic, request->route, request->answer.status,
                      sc__mono_ns() - request->began_ns);
    conn_step(request->conn, CONN_WAITING);
    request_free(request);
    *context = NULL;
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
    struct http *http = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = conn_opened(
            http->shared.conns,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else
        conn_closed(*context);
}

/* Paths and queries are decoded by request_decode(), which refuses what this would let pass. */
static size_t leave_escapes(void *cls, struct MHD_Connection *connection, char *text)
{
    (void)cls;
    (void)connection;
    return strlen(text);
}

/* ---- Start and stop ---- */

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
        on_request, http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_THREAD_POOL_SIZE,
        (unsigned)IO_THREADS, MHD_OPTION_CONNECTION_LIMIT, connections,
        MHD_OPTION_PER_IP_CONNECTION_LIMIT, per_addr, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HEAD_MAX, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, on_target,
        http, MHD_OPTION_NOTIFY_COMPLETED, on_completed, http, MHD_OPTION_NOTIFY_CONNECTION,
        on_connection, http, MHD_OPTION_UNESCAPE_CALLBACK, leave_escapes, NULL, MHD_OPTION_END);
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
    int fd = -1;
    sc_err err;

    if (!http)
        return sc__because(ret_reason, SC_ENOMEM, "the HTTP server could not start: out of memory");
    http->shared.loopback_only = !opts->allow_remote;
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
        close(fd);
    if (http->shared.runners)
        runners_close(http->shared.runners);
    if (http->shared.conns)
        conns_drain(http->shared.conns, DRAIN_MS);
    if (http->daemon)
        MHD_stop_daemon(http->daemon);
    runners_free(http->shared.runners);
    sc_limiter_free(http->shared.limiter);
    queue_index_free(http->shared.queues);
    conns_free(http->shared.conns);
    traffic_free(http->shared.traffic);
    sc_free(http);
}
