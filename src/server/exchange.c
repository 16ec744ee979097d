#include "exchange.h"

#include <netdb.h>
#include <stddef.h>
#include <stdio.h>

#include "base/clock.h"
#include "conns.h"
#include "guard.h"
#include "routes.h"
#include "traffic.h"

enum {
    /* So much more of a body is read and thrown away, so that its sender sees the answer. */
    DISCARD_FACTOR = 8
};

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

void *exchange_on_target(void *cls, const char *target, struct MHD_Connection *connection)
{
    (void)connection;
    return request_new(cls, target);
}

enum MHD_Result exchange_on_request(void *cls, struct MHD_Connection *connection, const char *url,
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

void exchange_on_completed(void *cls, struct MHD_Connection *connection, void **context,
                           enum MHD_RequestTerminationCode code)
{
    struct http_shared *shared = cls;
    struct request *request = *context;

    (void)connection;
    (void)code;
    if (!request)
        return;
    if (request->stage == REQUEST_SENT)
        traffic_count(shared->traffic, request->route, request->answer.status,
                      sc__mono_ns() - request->began_ns);
    conn_step(request->conn, CONN_WAITING);
    request_free(request);
    *context = NULL;
}

void exchange_on_connection(void *cls, struct MHD_Connection *connection, void **context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http_shared *shared = cls;

    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *context = conn_opened(
            shared->conns,
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    else
        conn_closed(*context);
}
