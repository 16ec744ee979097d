#include "blocking.h"

#include "base/clock.h"
#include "base/mem.h"
#include "base/str.h"
#include "loop/timer.h"
#include "conn.h"
#include "reconnect.h"
#include "reply.h"
#include "resp.h"

enum {
    LATE_MS = 2000, /* how much longer than it said the server may take */
    ASK_MAX = 16    /* times that it is asked to hurry before LATE_MS is awaited */
};

struct sc__blocking {
    sc_client *client;
    sc__conn_target target; /* the client's, but for the name */
    char *name;
    sc__conn *conn; /* NULL: none, not even on its way */
    bool ready;
    sc__client_watch watch;
    uint64_t moves; /* of the client, when `conn` was opened */
    sc__reconnect reconnect;
    int64_t not_before_ms; /* mono; of the next attempt to connect */
    sc__timer *timer;      /* starts an attempt; or ends a call that takes too long */

    sc_reply_cb cb; /* of the call under way; NULL: none */
    void *user;
    int64_t block_ms;
    int answers; /* that are still to come */
    char *bytes; /* its commands */
    size_t len;
    uint64_t serial;     /* of the call */
    struct hurry *hurry; /* the server is being asked to answer; NULL: not */
    int asked;           /* so often, for this call */
};

/* The user of that request, which may be answered when the connection is no more. */
struct hurry {
    sc__blocking *blocking; /* NULL: freed */
    uint64_t serial;
};

/* The last thing a function of ours does: the callback may call again, or free us. */
static void answer(sc__blocking *b, sc_err err, const sc_reply *reply)
{
    sc_reply_cb cb = b->cb;

    if (!cb)
        return;
    if (err || --b->answers == 0)
        b->cb = NULL;
    cb(b->user, err, reply);
}

static void drop_conn(sc__blocking *b)
{
    sc__conn_close(b->conn);
    b->conn = NULL;
    b->ready = false;
    sc__timer_stop(b->timer);
    b->not_before_ms = sc__mono_ms() + sc__reconnect_next(&b->reconnect);
}

/* Our own doing, so nothing to hold back the next attempt for. */
static void drop_conn_at_will(sc__blocking *b)
{
    drop_conn(b);
    b->reconnect.failures = 0;
    b->not_before_ms = 0;
}

static void send_call(sc__blocking *b)
{
    sc__timer_start(b->timer, b->block_ms + LATE_MS);
    sc__conn_write(b->conn, &(uv_buf_t){.base = b->bytes, .len = b->len}, 1);
}

static void on_ready(void *user, const sc_server_info *info)
{
    sc__blocking *b = user;

    (void)info;
    b->ready = true;
    sc__reconnect_up(&b->reconnect);
    if (b->cb)
        send_call(b);
}

/* Errors that say something of the server's state, not of the command. */
static sc_err state_error(const sc_reply *reply)
{
    if (sc__reply_is_error(reply, "READONLY") || sc__reply_is_error(reply, "MASTERDOWN"))
        return SC_EREADONLY;
    if (sc__reply_is_error(reply, "LOADING") || sc__reply_is_error(reply, "UNBLOCKED"))
        return SC_ECONNLOST;
    return SC_OK;
}

static void on_reply(void *user, const sc_reply *reply, bool is_push)
{
    sc__blocking *b = user;
    sc_err err;

    if (is_push)
        return;
    err = b->cb ? state_error(reply) : SC_EPROTO;
    if (err)
        drop_conn(b);
    else if (b->answers > 1)
        sc__timer_start(b->timer, LATE_MS);
    else
        sc__timer_stop(b->timer);
    answer(b, err, err ? NULL : reply);
}

static void on_writable(void *user)
{
    (void)user; /* the command is written; the reply is next */
}

static void on_ended(void *user, sc_err err, const char *text)
{
    sc__blocking *b = user;
    bool was_ready = b->ready;

    (void)text; /* the client's own connection meets the same, and tells */
    (void)err;
    b->conn = NULL;
    drop_conn(b);
    answer(b, was_ready ? SC_ECONNLOST : SC_ECONNECT, NULL);
}

static const sc__conn_events events = {on_ready, on_reply, on_writable, on_ended};

static void on_timer(void *arg)
{
    sc__blocking *b = arg;

    if (b->conn) {
        drop_conn(b);
        answer(b, SC_ECONNLOST, NULL);
        return;
    }
    b->moves = sc__client_moves(b->client);
    if (sc__conn_open(sc__client_loop(b->client), &b->target, &events, b, &b->conn)) {
        b->conn = NULL;
        answer(b, SC_ECONNECT, NULL);
    }
}

static sc_err encode(sc__blocking *b, const sc__command *commands, int count)
{
    size_t max = sc__client_opts(b->client)->max_waiting_bytes, sizes[2], len = 0;
    char *bytes;
    sc_err err;

    for (int i = 0; i < count; i++) {
        err = sc__resp_command_size(commands[i].argv, commands[i].argc, max - len, &sizes[i]);
        if (err)
            return err;
        len += sizes[i];
    }
    bytes = sc__realloc(b->bytes, len);
    if (!bytes)
        return SC_ENOMEM;
    b->bytes = bytes;
    b->len = len;
    for (int i = 0; i < count; bytes += sizes[i++])
        sc__resp_command_write(bytes, commands[i].argv, commands[i].argc);
    return SC_OK;
}

static sc_err call(sc__blocking *b, const sc__command *commands, int count, int64_t block_ms,
                   sc_reply_cb cb, void *user)
{
    sc_err err;

    if (b->cb)
        return SC_ESTATE;
    if (b->ready && !sc__conn_can_write(b->conn))
        drop_conn(b); /* it answered before it had read the last command */
    err = encode(b, commands, count);
    if (err)
        return err;
    b->cb = cb;
    b->user = user;
    b->block_ms = block_ms;
    b->answers = count;
    b->serial++;
    b->asked = 0;
    if (b->ready)
        send_call(b);
    else if (!b->conn)
        sc__timer_start(b->timer, b->not_before_ms - sc__mono_ms());
    return SC_OK;
}

sc_err sc__blocking_call(sc__blocking *b, const sc_slice *argv, size_t argc, int64_t block_ms,
                         sc_reply_cb cb, void *user)
{
    return call(b, &(sc__command){argv, argc}, 1, block_ms, cb, user);
}

sc_err sc__blocking_call_then(sc__blocking *b, const sc__command *first, const sc__command *second,
                              int64_t block_ms, sc_reply_cb cb, void *user)
{
    return call(b, (const sc__command[]){*first, *second}, 2, block_ms, cb, user);
}

void sc__blocking_cancel(sc__blocking *b)
{
    if (!b->cb)
        return;
    drop_conn_at_will(b);
    answer(b, SC_ECANCELED, NULL);
}

static void on_fence(void *user, sc_err err, const sc_reply *reply)
{
    (void)user, (void)err, (void)reply; /* it only had to be before the next one */
}

/* Redis 7.0 and Valkey 8.0 panic on CLIENT UNBLOCK for a client whose command CLIENT PAUSE WRITE holds back (valkey pull request
 * 2117). A script counts as a write: the pause holds back this connection too, and with it the UNBLOCK behind the script. */
static sc_err send_fence(sc__blocking *b, const sc__send_opts *opts)
{
    const sc_slice argv[] = {SC_S("EVAL"), SC_S("return 0"), SC_S("0")};

    return sc__client_send(b->client, argv, 3, opts, on_fence, NULL);
}

static void on_hurried(void *user, sc_err err, const sc_reply *reply);

static sc_err ask_to_hurry(sc__blocking *b)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {
        SC_S("CLIENT"), SC_S("UNBLOCK"), {digits, sc__int_text(sc__conn_id(b->conn), digits)}};
    const sc__send_opts opts = {.timeout_ms = LATE_MS};
    struct hurry *hurry = sc__malloc(sizeof(*hurry));
    sc_err err;

    if (!hurry)
        return SC_ENOMEM;
    *hurry = (struct hurry){b, b->serial};
    err = send_fence(b, &opts);
    if (!err)
        err = sc__client_send(b->client, argv, 3, &opts, on_hurried, hurry);
    if (err) {
        sc_free(hurry);
        return err;
    }
    b->hurry = hurry;
    b->asked++;
    return SC_OK;
}

/* The server was asked: it answers the call, or it may not be asked, or it had not read the call yet. */
static void on_hurried(void *user, sc_err err, const sc_reply *reply)
{
    const struct hurry hurry = *(struct hurry *)user;
    sc__blocking *b = hurry.blocking;
    int64_t found = 1;

    sc_free(user);
    if (!b)
        return;
    b->hurry = NULL;
    if (!b->cb || b->serial != hurry.serial)
        return;
    if (err || sc__reply_int(reply, &found, NULL) ||
        (!found && b->asked < ASK_MAX && ask_to_hurry(b)))
        sc__blocking_cancel(b);
}

void sc__blocking_hurry(sc__blocking *b)
{
    if (!b->cb || (b->hurry && b->hurry->serial == b->serial))
        return;
    if (b->hurry)
        b->hurry->blocking = NULL; /* it was for an earlier call */
    b->hurry = NULL;
    if (b->ready && sc__conn_id(b->conn) && sc_client_is_connected(b->client) && !ask_to_hurry(b))
        sc__timer_start(b->timer, LATE_MS);
    else
        sc__blocking_cancel(b);
}

/* The client has another server: what waits on the old one waits in vain, and the old one may never say so. */
static void on_client(void *user, bool connected)
{
    sc__blocking *b = user;

    if (!connected || !b->conn || b->moves == sc__client_moves(b->client))
        return;
    drop_conn_at_will(b);
    answer(b, SC_ECONNLOST, NULL);
}

static void start_on_loop(void *arg)
{
    sc__blocking *b = arg;

    if (sc__timer_new(sc__client_loop(b->client), on_timer, b, &b->timer)) {
        b->timer = NULL;
        return;
    }
    b->watch = (sc__client_watch){.cb = on_client, .user = b};
    sc__client_watch_add(b->client, &b->watch);
}

sc_err sc__blocking_new(sc_client *client, sc_slice name, sc__blocking **ret_blocking)
{
    sc__blocking *b = sc__calloc(1, sizeof(*b));

    if (!b)
        return SC_ENOMEM;
    b->client = client;
    b->name = sc__slice_dup(name);
    b->target = *sc__client_target(client);
    b->target.name = b->name;
    if (b->name)
        sc__loop_run_wait(sc__client_loop(client), start_on_loop, b);
    if (!b->timer) {
        sc_free(b->name);
        sc_free(b);
        return SC_ENOMEM;
    }
    *ret_blocking = b;
    return SC_OK;
}

static void free_on_loop(void *arg)
{
    sc__blocking *b = arg;
    sc_reply_cb cb = b->cb;
    void *user = b->user;

    if (b->hurry)
        b->hurry->blocking = NULL;
    sc__client_watch_remove(b->client, &b->watch);
    sc__conn_close(b->conn);
    sc__timer_free(b->timer);
    sc_free(b->name);
    sc_free(b->bytes);
    sc_free(b);
    if (cb)
        cb(user, SC_ECANCELED, NULL);
}

void sc__blocking_free(sc__blocking *b)
{
    if (b)
        sc__loop_run_wait(sc__client_loop(b->client), free_on_loop, b);
}
