#include "conn_inside.h"

#include <fcntl.h>

#include "base/error.h"
#include "base/mem.h"

enum { SEALED_SIZE = 64 * 1024 };

/* writing */

static void write_sealed(sc__conn *conn);

static void on_written(uv_write_t *req, int status)
{
    sc__conn *conn = req->handle->data;

    conn->writing = false;
    if (conn->state == ENDED)
        return;
    if (status < 0) {
        sc__conn_fail_uv(conn, status);
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
        sc__conn_fail_later(conn, err);
}

static void count_write(sc__traffic *traffic, const uv_buf_t *bufs, unsigned count)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < count; i++)
        bytes += bufs[i].len;
    sc__count_up(&traffic->bytes_out, bytes);
    sc__count_up(&traffic->writes, 1);
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
            sc__conn_fail_later(conn, UV_ENOMEM);
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
            sc__conn_fail_later(conn, UV_EPROTO);
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

int sc__conn_dup(const sc__conn *conn)
{
    uv_os_fd_t fd;

    if (conn->tls.ssl || uv_fileno(&conn->h.any, &fd))
        return -1;
    return fcntl(fd, F_DUPFD_CLOEXEC, 0);
}

int64_t sc__conn_id(const sc__conn *conn)
{
    return conn->hello.client_id;
}

bool sc__conn_is_tracked(const sc__conn *conn)
{
    return conn->hello.is_tracked;
}

int64_t sc__conn_server_ahead_ms(const sc__conn *conn)
{
    return conn->hello.server_ahead_ms;
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
        sc__conn_fail(conn, SC_EPROTO);
        return;
    }
    sc__str_reset(&conn->hello_out);
    err = sc__hello_next(&conn->hello, reply, &conn->hello_out, &conn->why);
    if (err) {
        sc__conn_fail(conn, err);
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
        sc__conn_fail(conn, err);
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
            sc__conn_fail(conn, err);
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
        sc__conn_fail(conn, err);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf)
{
    sc__conn *conn = stream->data;

    (void)buf;
    if (n == 0)
        return;
    if (n < 0) {
        sc__conn_fail_uv(conn, n == UV_ENOBUFS ? UV_ENOMEM : (int)n); /* on_space() had none */
        return;
    }
    conn->bytes_in += (size_t)n;
    if (conn->target->traffic)
        sc__count_up(&conn->target->traffic->bytes_in, (size_t)n);
    if (!conn->tls.ssl) {
        sc__resp_fed(&conn->in, (size_t)n);
        deliver(conn);
    } else if (sc__tls_feed(&conn->tls, (sc_slice){conn->sealed, (size_t)n})) {
        sc__conn_fail(conn, SC_ENOMEM);
    } else {
        go_on_sealed(conn);
    }
}

static sc_err start_tls(sc__conn *conn)
{
    conn->sealed = sc__malloc(SEALED_SIZE);
    if (!conn->sealed)
        return SC_ENOMEM;
    return sc__tls_open(&conn->tls, conn->target->tls,
                        conn->target->tls_server_name ? conn->target->tls_server_name
                                                      : conn->target->url->host);
}

void sc__conn_begin(sc__conn *conn)
{
    int err = uv_read_start(&conn->h.stream, on_space, on_read);

    conn->state = HANDSHAKE;
    conn->why.text[0] = '\0'; /* of an address that was tried before */
    if (err)
        sc__conn_fail_uv(conn, err);
    else if (!conn->target->tls)
        send_hello(conn, NULL);
    else if (start_tls(conn))
        sc__conn_fail(conn, SC_ENOMEM);
    else
        go_on_sealed(conn);
}
