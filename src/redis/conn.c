#include "conn.h"

#include <netinet/tcp.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "loop/timer.h"
#include "conn_inside.h"

enum { KEEPALIVE_S = 15, UNACKED_MAX_MS = 15000, HELLO_MAX = 64 * 1024 };

static void drop(sc__conn *conn)
{
    if (--conn->refs > 0)
        return;
    if (conn->found)
        uv_freeaddrinfo(conn->found);
    sc__tls_release(&conn->tls);
    sc_free(conn->sealed);
    sc_free(conn->sealed_rest);
    sc__str_release(&conn->hello_out);
    sc__resp_release(&conn->in);
    sc_free(conn);
}

static void on_handle_closed(uv_handle_t *handle)
{
    drop(handle->data);
}

static bool has_handle(const sc__conn *conn)
{
    return conn->state == CONNECTING || conn->state == HANDSHAKE || conn->state == READY;
}

void sc__conn_close(sc__conn *conn)
{
    if (!conn || conn->state == ENDED)
        return;
    if (has_handle(conn))
        uv_close(&conn->h.any, on_handle_closed);
    if (conn->state == RESOLVING)
        uv_cancel((uv_req_t *)&conn->lookup);
    sc__timer_free(conn->limit);
    conn->state = ENDED;
    drop(conn);
}

static void end(sc__conn *conn, sc_err err)
{
    const sc__conn_events *events = conn->events;
    void *user = conn->user;
    sc_reason why = conn->why;

    if (conn->state == ENDED)
        return;
    sc__conn_close(conn);
    events->ended(user, err, why.text);
}

static void note_uv(sc__conn *conn, int uv_error)
{
    sc__because(&conn->why, SC_ECONNLOST, "%s",
                uv_error == UV_EOF ? "the server closed the connection" : uv_strerror(uv_error));
}

static sc_err lost(const sc__conn *conn)
{
    return conn->state == READY ? SC_ECONNLOST : SC_ECONNECT;
}

void sc__conn_fail(sc__conn *conn, sc_err err)
{
    if (!conn->why.text[0])
        sc__because(&conn->why, err, "%s", sc_err_text(err));
    end(conn, err);
}

void sc__conn_fail_uv(sc__conn *conn, int uv_error)
{
    note_uv(conn, uv_error);
    end(conn, lost(conn));
}

void sc__conn_fail_later(sc__conn *conn, int uv_error)
{
    note_uv(conn, uv_error);
    conn->failed = true;
    sc__timer_start(conn->limit, 0);
}

static void on_connected(uv_connect_t *req, int status);

static void tune_tcp(sc__conn *conn)
{
    unsigned unacked_ms = UNACKED_MAX_MS;
    uv_os_fd_t fd;

    uv_tcp_nodelay(&conn->h.tcp, 1);
    uv_tcp_keepalive(&conn->h.tcp, 1, KEEPALIVE_S);
    if (uv_fileno(&conn->h.any, &fd) == 0)
        setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &unacked_ms, sizeof(unacked_ms));
}

/* A part of the time left for each address that is left. */
static void limit_attempt(sc__conn *conn)
{
    int64_t left_ms = conn->deadline_ms - sc__mono_ms(), addresses = 1;

    for (const struct addrinfo *a = conn->address; a && a->ai_next; a = a->ai_next)
        addresses++;
    sc__timer_start(conn->limit, left_ms > addresses ? left_ms / addresses : 1);
}

static void start_attempt(sc__conn *conn)
{
    conn->state = CONNECTING;
    conn->refs++;
    conn->h.any.data = conn;
    conn->connect.data = conn;
    limit_attempt(conn);
}

static void connect_unix(sc__conn *conn)
{
    uv_pipe_init(sc__loop_uv(conn->loop), &conn->h.pipe, 0);
    start_attempt(conn);
    uv_pipe_connect(&conn->connect, &conn->h.pipe, conn->target->url->path, on_connected);
}

static void connect_tcp(sc__conn *conn)
{
    int err;

    uv_tcp_init(sc__loop_uv(conn->loop), &conn->h.tcp);
    start_attempt(conn);
    err = uv_tcp_connect(&conn->connect, &conn->h.tcp, conn->address->ai_addr, on_connected);
    if (err)
        sc__conn_fail_later(conn, err);
}

static void on_attempt_closed(uv_handle_t *handle)
{
    sc__conn *conn = handle->data;

    if (conn->state != ENDED)
        connect_tcp(conn);
    drop(conn);
}

/* This address didn't take us: on to the next, or the end. */
static void attempt_failed(sc__conn *conn)
{
    if (conn->address && conn->address->ai_next && conn->state == CONNECTING) {
        conn->address = conn->address->ai_next;
        conn->failed = false;
        conn->state = STARTING;
        sc__timer_stop(conn->limit);
        uv_close(&conn->h.any, on_attempt_closed);
        return;
    }
    end(conn, lost(conn));
}

static void on_connected(uv_connect_t *req, int status)
{
    sc__conn *conn = req->data;

    /* UV_ECANCELED: the handle is being closed, by us. */
    if (conn->state != CONNECTING || status == UV_ECANCELED)
        return;
    if (status) {
        note_uv(conn, status);
        attempt_failed(conn);
        return;
    }
    if (!conn->target->url->path)
        tune_tcp(conn);
    sc__timer_start(conn->limit, conn->deadline_ms - sc__mono_ms());
    sc__conn_begin(conn);
}

static void on_looked_up(uv_getaddrinfo_t *req, int status, struct addrinfo *found)
{
    sc__conn *conn = req->data;

    conn->found = found;
    if (conn->state == RESOLVING && status == 0) {
        conn->address = found;
        connect_tcp(conn);
    } else if (conn->state == RESOLVING) {
        sc__because(&conn->why, SC_ECONNECT, "the name can't be looked up: %s",
                    uv_strerror(status));
        end(conn, SC_ECONNECT);
    }
    drop(conn);
}

static void look_up(sc__conn *conn)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    char port[8];
    int err;

    snprintf(port, sizeof(port), "%d", conn->target->url->port);
    conn->lookup.data = conn;
    err = uv_getaddrinfo(sc__loop_uv(conn->loop), &conn->lookup, on_looked_up,
                         conn->target->url->host, port, &hints);
    if (err) {
        sc__conn_fail_later(conn, err);
        return;
    }
    conn->state = RESOLVING;
    conn->refs++;
    sc__timer_start(conn->limit, conn->target->connect_timeout_ms);
}

static void on_limit(void *arg)
{
    sc__conn *conn = arg;

    if (conn->failed) {
        attempt_failed(conn);
    } else if (conn->state == STARTING && !conn->target->url->path && !conn->target->url->host) {
        sc__because(&conn->why, SC_ECONNECT, "no sentinel has told yet which server is the master");
        end(conn, SC_ECONNECT);
    } else if (conn->state == STARTING) {
        conn->deadline_ms = sc__mono_ms() + conn->target->connect_timeout_ms;
        if (conn->target->url->path)
            connect_unix(conn);
        else
            look_up(conn);
    } else {
        sc__because(&conn->why, SC_ECONNECT, "no answer within %lld ms",
                    (long long)conn->target->connect_timeout_ms);
        attempt_failed(conn);
    }
}

sc_err sc__conn_open(sc__loop *loop, const sc__conn_target *target, const sc__conn_events *events,
                     void *user, sc__conn **ret_conn)
{
    sc__conn *conn = sc__calloc(1, sizeof(*conn));
    sc_err err;

    if (!conn)
        return SC_ENOMEM;
    conn->loop = loop;
    conn->target = target;
    conn->events = events;
    conn->user = user;
    conn->refs = 1;
    conn->hello = (sc__hello){.url = target->url,
                              .name = target->name,
                              .tracks = target->tracks,
                              .track_prefix = target->track_prefix,
                              .server_ahead_ms = INT64_MIN};
    conn->hello_out = STR_MAX(HELLO_MAX);
    sc__resp_init(&conn->in, target->max_reply_bytes);
    err = sc__timer_new(loop, on_limit, conn, &conn->limit);
    if (err) {
        drop(conn);
        return err;
    }
    sc__timer_start(conn->limit, 0);
    *ret_conn = conn;
    return SC_OK;
}
