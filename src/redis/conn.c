#include "conn.h"

#include <netinet/tcp.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "loop/timer.h"
#include "hello.h"
#include "resp.h"
#include "tls.h"

enum { KEEPALIVE_S = 15, UNACKED_MAX_MS = 15000, HELLO_MAX = 64 * 1024 };
enum { SEALED_SIZE = 64 * 1024 };

enum state { STARTING, RESOLVING, CONNECTING, HANDSHAKE, READY, ENDED };

struct sc__conn {
    sc__loop *loop;
    const sc__conn_target *target;
    const sc__conn_events *events;
    void *user;
    enum state state;
    int refs; /* the owner's, the lookup's, the handle's */

    sc__timer *limit; /* starts the first attempt, then ends the one under way */
    int64_t deadline_ms;
    uv_getaddrinfo_t lookup;
    struct addrinfo *found; /* to be freed */
    const struct addrinfo *address;

    union {
        uv_handle_t any;
        uv_stream_t stream;
        uv_tcp_t tcp;
        uv_pipe_t pipe;
    } h;
    uv_connect_t connect;
    uv_write_t write;
    bool writing; /* bytes wait for the socket to take them */
    bool failed;  /* to be ended by the timer */

    sc__tls tls;
    char *sealed;      /* what the socket is read into, with TLS */
    char *sealed_rest; /* what it has not taken yet */

    sc__hello hello;
    sc__str hello_out;
    sc__resp in;
    uint64_t bytes_in;
    sc_reason why; /* the last attempt's failure */
};

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

static const char *errno_text(int uv_error)
{
    return uv_error == UV_EOF ? "the server closed the connection" : uv_strerror(uv_error);
}

static sc_err lost(const sc__conn *conn)
{
    return conn->state == READY ? SC_ECONNLOST : SC_ECONNECT;
}

static void add(atomic_uint_fast64_t *counter, uint64_t more)
{
    /* One writer: no need for a locked addition. */
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + more,
                          memory_order_relaxed);
}

/* The same, but from the loop: for calls that may be made inside of the owner's own. */
static void end_later(sc__conn *conn, int uv_error)
{
    sc__because(&conn->why, SC_ECONNLOST, "%s", errno_text(uv_error));
    conn->failed = true;
    sc__timer_start(conn->limit, 0);
}

static void fail(sc__conn *conn, sc_err err)
{
    if (!conn->why.text[0])
        sc__because(&conn->why, err, "%s", sc_err_text(err));
    end(conn, err);
}

/* writing */

static void write_sealed(sc__conn *conn);

static void on_written(uv_write_t *req, int status)
{
    sc__conn *conn = req->handle->data;

    conn->writing = false;
    if (conn->state == ENDED)
        return;
    if (status < 0) {
        sc__because(&conn->why, SC_ECONNLOST, "%s", errno_text(status));
        end(conn, lost(conn));
        return;
    }
    if (conn->tls.ssl)
        write_sealed(conn); /* TLS may have had to say something meanwhile */
    if (sc__conn_can_write(conn))
        conn->events->writable(conn->user);
}

static void write_rest(sc__conn *conn, const uv_buf_t *bufs, unsigned count, size_t done)
{
    uv_buf_t rest[SC__CONN_BUFS_MAX];
    unsigned n = 0;
    int err;

    for (unsigned i = 0; i < count; i++) {
        size_t skip = done < bufs[i].len ? done : bufs[i].len;

        done -= skip;
        if (skip < bufs[i].len)
            rest[n++] = (uv_buf_t){.base = bufs[i].base + skip, .len = bufs[i].len - skip};
    }
    if (n == 0)
        return;
    conn->writing = true;
    err = uv_write(&conn->write, &conn->h.stream, rest, n, on_written);
    if (err)
        end_later(conn, err);
}

static void count_write(sc__traffic *traffic, const uv_buf_t *bufs, unsigned count)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++)
        bytes += bufs[i].len;
    add(&traffic->bytes_out, bytes);
    add(&traffic->writes, 1);
}

/* The rest is kept apart: TLS goes on writing into its own buffer. */
static void write_sealed(sc__conn *conn)
{
    sc_slice sealed = sc__tls_sealed(&conn->tls);
    uv_buf_t buf = {.base = (char *)sealed.ptr, .len = sealed.len};
    size_t done;
    int n;

    if (conn->writing || sealed.len == 0)
        return;
    n = uv_try_write(&conn->h.stream, &buf, 1);
    done = n > 0 ? (size_t)n : 0;
    if (done < sealed.len) {
        sc_free(conn->sealed_rest);
        conn->sealed_rest = sc__slice_dup((sc_slice){sealed.ptr + done, sealed.len - done});
        if (!conn->sealed_rest) {
            end_later(conn, UV_ENOMEM);
            return;
        }
        write_rest(conn, &(uv_buf_t){.base = conn->sealed_rest, .len = sealed.len - done}, 1, 0);
    }
    sc__tls_sealed_taken(&conn->tls);
}

static void seal(sc__conn *conn, const uv_buf_t *bufs, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        if (sc__tls_write(&conn->tls, (sc_slice){bufs[i].base, bufs[i].len})) {
            end_later(conn, UV_EPROTO);
            return;
        }
    write_sealed(conn);
}

void sc__conn_write(sc__conn *conn, const uv_buf_t *bufs, unsigned count)
{
    int n;

    if (conn->target->traffic)
        count_write(conn->target->traffic, bufs, count);
    if (conn->tls.ssl) {
        seal(conn, bufs, count);
        return;
    }
    n = uv_try_write(&conn->h.stream, bufs, count);
    write_rest(conn, bufs, count, n > 0 ? (size_t)n : 0);
}

bool sc__conn_can_write(const sc__conn *conn)
{
    return conn->state == READY && !conn->writing;
}

uint64_t sc__conn_bytes_in(const sc__conn *conn)
{
    return conn->bytes_in;
}

/* reading, and the handshake */

static void send_hello(sc__conn *conn, const sc_reply *reply)
{
    sc_err err;

    if (conn->writing) { /* its bytes are still in use */
        sc__because(&conn->why, SC_EPROTO, "the server answered before it was asked");
        end(conn, SC_EPROTO);
        return;
    }
    sc__str_reset(&conn->hello_out);
    err = sc__hello_next(&conn->hello, reply, &conn->hello_out, &conn->why);
    if (err) {
        fail(conn, err);
        return;
    }
    if (conn->hello.step == SC__HELLO_DONE) {
        conn->state = READY;
        sc__timer_stop(conn->limit);
        conn->events->ready(conn->user, &conn->hello.info);
        return;
    }
    sc__conn_write(conn, &(uv_buf_t){.base = conn->hello_out.ptr, .len = conn->hello_out.len}, 1);
}

static void deliver(sc__conn *conn)
{
    const sc_reply *reply;
    bool is_push;
    sc_err err = SC_OK;

    while (conn->state != ENDED) {
        err = sc__resp_next(&conn->in, &reply, &is_push);
        if (err || !reply)
            break;
        if (conn->state == READY)
            conn->events->reply(conn->user, reply, is_push);
        else if (!is_push)
            send_hello(conn, reply);
    }
    if (err) {
        sc__because(&conn->why, err, "%s", conn->in.what ? conn->in.what : sc_err_text(err));
        end(conn, err);
    }
}

static void on_space(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    sc__conn *conn = handle->data;
    size_t len;

    (void)suggested;
    *buf = (uv_buf_t){0};
    if (conn->tls.ssl)
        *buf = (uv_buf_t){.base = conn->sealed, .len = SEALED_SIZE};
    else if (sc__resp_space(&conn->in, &buf->base, &len) == SC_OK)
        buf->len = len;
}

static sc_err read_sealed(sc__conn *conn, size_t *ret_len)
{
    char *space;
    size_t len;
    sc_err err;

    err = sc__resp_space(&conn->in, &space, &len);
    if (err)
        return err;
    return sc__tls_read(&conn->tls, space, len, ret_len, &conn->why);
}

/* Does what the bytes that came allow: the handshake, then replies. */
static void go_on_sealed(sc__conn *conn)
{
    size_t len = 0;
    sc_err err;

    if (!conn->tls.up) {
        err = sc__tls_handshake(&conn->tls, &conn->why);
        write_sealed(conn);
        if (!err && conn->tls.up)
            send_hello(conn, NULL);
        else if (err)
            fail(conn, err);
    }
    do {
        if (conn->state == ENDED || !conn->tls.up)
            return;
        err = read_sealed(conn, &len);
        if (!err && len) {
            sc__resp_fed(&conn->in, len);
            deliver(conn);
        }
    } while (!err && len);
    if (err)
        fail(conn, err);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    sc__conn *conn = stream->data;

    (void)buf;
    if (n == 0)
        return;
    if (n < 0) {
        sc__because(&conn->why, SC_ECONNLOST, "%s",
                    n == UV_ENOBUFS ? "out of memory for the reply" : errno_text((int)n));
        end(conn, lost(conn));
        return;
    }
    conn->bytes_in += (size_t)n;
    if (conn->target->traffic)
        add(&conn->target->traffic->bytes_in, (size_t)n);
    if (!conn->tls.ssl) {
        sc__resp_fed(&conn->in, (size_t)n);
        deliver(conn);
    } else if (sc__tls_feed(&conn->tls, (sc_slice){conn->sealed, (size_t)n})) {
        fail(conn, SC_ENOMEM);
    } else {
        go_on_sealed(conn);
    }
}

/* connecting */

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
        end_later(conn, err);
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

static sc_err start_tls(sc__conn *conn)
{
    conn->sealed = sc__malloc(SEALED_SIZE);
    if (!conn->sealed)
        return SC_ENOMEM;
    return sc__tls_open(&conn->tls, conn->target->tls, conn->target->tls_server_name);
}

static void on_connected(uv_connect_t *req, int status)
{
    sc__conn *conn = req->data;

    /* UV_ECANCELED: the handle is being closed, by us. */
    if (conn->state != CONNECTING || status == UV_ECANCELED)
        return;
    if (status == 0)
        status = uv_read_start(&conn->h.stream, on_space, on_read);
    if (status) {
        sc__because(&conn->why, SC_ECONNECT, "%s", errno_text(status));
        attempt_failed(conn);
        return;
    }
    if (!conn->target->url->path)
        tune_tcp(conn);
    conn->state = HANDSHAKE;
    sc__timer_start(conn->limit, conn->deadline_ms - sc__mono_ms());
    if (!conn->target->tls)
        send_hello(conn, NULL);
    else if (start_tls(conn))
        fail(conn, SC_ENOMEM);
    else
        go_on_sealed(conn);
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
        end_later(conn, err);
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
    conn->hello = (sc__hello){.url = target->url, .name = target->name};
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
