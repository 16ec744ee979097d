#include "pipeline.h"

#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "reply.h"
#include "resp.h"

enum {
    OUT_SIZE = 256 * 1024,
    SMALL_MAX = 16 * 1024,  /* larger commands are written from where they are */
    DEADLINE_GRAIN_MS = 10, /* how late a timeout may be told */
    LOADING_PAUSE_MS = 100,
    SCRIPT_LOADS_MAX = 4
};

/* the turn */

static void take_turn(sc__pipeline *p)
{
    if (p->has_turn)
        return;
    pthread_mutex_lock(&p->turn);
    p->has_turn = true;
}

static void end_turn(sc__pipeline *p)
{
    p->has_turn = false;
    pthread_mutex_unlock(&p->turn);
}

/* taking in */

static sc_err reserve(sc__pipeline *p, size_t bytes, size_t max)
{
    size_t before = atomic_fetch_add_explicit(&p->waiting_bytes, bytes, memory_order_relaxed);

    if (before <= max && bytes <= max - before)
        return SC_OK;
    atomic_fetch_sub_explicit(&p->waiting_bytes, bytes, memory_order_relaxed);
    return SC_EOVERLOAD;
}

static void unreserve(sc__pipeline *p, const sc__request *req)
{
    atomic_fetch_sub_explicit(&p->waiting_bytes, sizeof(*req) + req->len, memory_order_relaxed);
}

static sc_err make_request(sc__pipeline *p, const sc_slice *argv, size_t argc, size_t max_waiting,
                           sc__request **ret_request)
{
    size_t len;
    sc_err err;

    err = sc__resp_command_size(argv, argc, SIZE_MAX / 4, &len);
    if (err)
        return err;
    err = reserve(p, sizeof(**ret_request) + len, max_waiting);
    if (err)
        return err;
    *ret_request = sc__request_new(argv, argc, len);
    if (*ret_request)
        return SC_OK;
    atomic_fetch_sub_explicit(&p->waiting_bytes, sizeof(**ret_request) + len, memory_order_relaxed);
    return SC_ENOMEM;
}

static void plan_deadline(sc__pipeline *p, int64_t deadline_ms, int64_t now_ms)
{
    int64_t in_ms = deadline_ms - now_ms;

    if (p->deadline_polled || (p->next_deadline_ms && p->next_deadline_ms <= deadline_ms))
        return;
    if (!p->has_turn) { /* the timer is the I/O thread's alone */
        if (!p->unplanned_ms || deadline_ms < p->unplanned_ms)
            p->unplanned_ms = deadline_ms;
        return;
    }
    p->next_deadline_ms = deadline_ms;
    sc__timer_start(p->deadline, in_ms > DEADLINE_GRAIN_MS ? in_ms : DEADLINE_GRAIN_MS);
}

static void take_incoming(sc__pipeline *p)
{
    sc__request *newest = atomic_exchange(&p->incoming, NULL), *oldest = NULL;
    int64_t now_ms;
    uint64_t taken = 0;

    if (!newest)
        return;
    while (newest) {
        sc__request *next = newest->next;

        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    now_ms = sc__mono_ms();
    while (oldest) {
        sc__request *req = oldest;

        oldest = req->next;
        req->deadline_ms = now_ms + req->timeout_ms;
        plan_deadline(p, req->deadline_ms, now_ms);
        sc__requests_put(&p->waiting, req);
        taken++;
    }
    sc__count_up(&p->commands, taken);
}

/* ending */

static void finish(sc__pipeline *p, sc__request *req, sc_err err, const sc_reply *reply)
{
    sc_reply_cb cb = req->cb;
    void *user = req->user;

    unreserve(p, req);
    sc_free(req);
    if (cb)
        cb(user, err, reply);
}

static void finish_all(sc__pipeline *p, sc__requests *list, sc_err err)
{
    sc__request *req;

    while ((req = sc__requests_take(list)))
        finish(p, req, err, NULL);
}

/* writing */

static sc__request *next_to_write(sc__pipeline *p)
{
    sc__request *req = sc__requests_take(&p->again);

    return req ? req : sc__requests_take(&p->waiting);
}

static sc__request *first_to_write(const sc__pipeline *p)
{
    return p->again.first ? p->again.first : p->waiting.first;
}

/* Takes the next command out of its line, as one that is being written. */
static sc__request *write_next(sc__pipeline *p)
{
    sc__request *req = next_to_write(p);

    req->order = ++p->order;
    if (req->is_load)
        sc__loads_written(&p->loads, req->script_text, req->order);
    sc__requests_put(&p->in_flight, req);
    return req;
}

/* Gathers what fits into one write. Small commands are copied together, large ones stay where they are. */
static unsigned gather(sc__pipeline *p, uv_buf_t *bufs)
{
    size_t used = 0, joined = 0; /* of `out`: filled; and the part that is in `bufs` */
    unsigned n = 0;
    sc__request *req;

    while (n < SC__CONN_BUFS_MAX - 2 && (req = first_to_write(p))) {
        bool small = req->len <= SMALL_MAX;

        if (small && req->len > OUT_SIZE - used)
            break;
        req = write_next(p);
        if (small) {
            memcpy(p->out + used, req->bytes, req->len);
            used += req->len;
            continue;
        }
        if (used > joined)
            bufs[n++] = (uv_buf_t){.base = p->out + joined, .len = used - joined};
        joined = used;
        bufs[n++] = (uv_buf_t){.base = req->bytes, .len = req->len};
    }
    if (used > joined)
        bufs[n++] = (uv_buf_t){.base = p->out + joined, .len = used - joined};
    return n;
}

static void write_rest(sc__pipeline *p)
{
    uv_buf_t rest = p->rest;

    if (!p->conn || !rest.len || !sc__conn_can_write(p->conn))
        return;
    p->rest.len = 0;
    sc__conn_write(p->conn, &rest, 1);
}

void sc__pipeline_flush(sc__pipeline *p)
{
    uv_buf_t bufs[SC__CONN_BUFS_MAX];

    take_turn(p);
    write_rest(p);
    while (p->conn && !p->retiring && !sc__timer_is_active(p->pause) && first_to_write(p) &&
           sc__conn_can_write(p->conn)) {
        unsigned n;

        if (!p->in_flight.first)
            p->heard_ms = sc__mono_ms(); /* it had no reason to speak until now */
        n = gather(p, bufs);
        sc__conn_write(p->conn, bufs, n);
    }
}

static void note_heard(sc__pipeline *p)
{
    uint64_t bytes = p->conn ? sc__conn_bytes_in(p->conn) : 0;

    if (bytes == p->heard_bytes)
        return;
    p->heard_bytes = bytes;
    p->heard_ms = sc__mono_ms();
}

static void take_and_write(sc__pipeline *p)
{
    take_turn(p);
    atomic_store_explicit(&p->asleep, false, memory_order_relaxed);
    take_incoming(p);
    sc__pipeline_flush(p);
}

void sc__pipeline_push(sc__pipeline *p)
{
    if (!p->closing)
        take_and_write(p);
}

/* Last before the loop sleeps: whatever came in during this turn is written together. */
static void on_before_sleep(uv_prepare_t *prepare)
{
    sc__pipeline *p = prepare->data;

    take_turn(p);
    note_heard(p);
    take_and_write(p);
    if (p->unplanned_ms)
        plan_deadline(p, p->unplanned_ms, sc__mono_ms());
    p->unplanned_ms = 0;
    atomic_store(&p->asleep, true);
    if (atomic_load(&p->incoming)) {
        take_and_write(p);
        /* Threads that never pause must not keep us from reading: no third round, but no sleep either. */
        uv_async_send(&p->wake);
    }
    end_turn(p);
}

static void on_wake(uv_async_t *wake)
{
    (void)wake; /* what there is to do, on_before_sleep() does */
}

/* writing by the thread that submits */

static bool is_at_rest(const sc__pipeline *p)
{
    return p->fd >= 0 && !p->retiring && !p->in_flight.first && !p->again.first &&
           !p->waiting.first;
}

/* Joins what is small; what isn't, waits for the I/O thread. */
static size_t join_small(sc__pipeline *p)
{
    size_t used = 0;
    const sc__request *req;

    while ((req = first_to_write(p)) && req->len <= SMALL_MAX && req->len <= OUT_SIZE - used) {
        req = write_next(p);
        memcpy(p->out + used, req->bytes, req->len);
        used += req->len;
    }
    return used;
}

static void write_here(sc__pipeline *p)
{
    size_t len, done;
    ssize_t n;

    take_incoming(p);
    p->heard_ms = sc__mono_ms();
    len = join_small(p);
    if (!len)
        return;
    n = send(p->fd, p->out, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    done = n > 0 ? (size_t)n : 0;
    sc__count_up(&p->traffic->bytes_out, done);
    sc__count_up(&p->traffic->writes, 1);
    p->rest =
        (uv_buf_t){.base = p->out + done, .len = len - done}; /* an error is met there again */
}

/* The I/O thread sleeps, and `asleep` was ours to take. True when there is nothing left to wake it for. */
static bool write_for_sleeper(sc__pipeline *p)
{
    bool done = false;

    if (pthread_mutex_trylock(&p->turn))
        return false;
    if (is_at_rest(p)) {
        write_here(p);
        done = !p->rest.len && !p->waiting.first && !p->unplanned_ms;
        if (done) {
            atomic_store(&p->asleep, true);
            done = !atomic_load(&p->incoming) || !atomic_exchange(&p->asleep, false);
        }
    }
    pthread_mutex_unlock(&p->turn);
    return done;
}

static void wake_or_write(sc__pipeline *p)
{
    /* Sequentially consistent with take_incoming(): either we see it asleep, or it sees our command. */
    if (atomic_load(&p->asleep) && atomic_exchange(&p->asleep, false) &&
        !sc__loop_is_current(p->loop) && !write_for_sleeper(p))
        uv_async_send(&p->wake);
}

sc_err sc__pipeline_submit(sc__pipeline *p, const sc_slice *argv, size_t argc,
                           const sc__send_opts *opts, sc_reply_cb cb, void *user)
{
    sc__request *req, *newest;
    sc_err err;

    /* Only callbacks can come here while the client is being freed, on the I/O thread. */
    if (sc__loop_is_current(p->loop) && p->closing)
        return SC_ECANCELED;
    err = make_request(p, argv, argc, p->max_waiting_bytes, &req);
    if (err)
        return err;
    req->cb = cb;
    req->user = user;
    req->timeout_ms = p->timeout_ms;
    if (opts) {
        if (opts->timeout_ms > 0)
            req->timeout_ms =
                opts->timeout_ms < SC__TIMEOUT_MAX_MS ? opts->timeout_ms : SC__TIMEOUT_MAX_MS;
        req->script_text = opts->script_text;
        req->idempotent = opts->idempotent;
    }
    newest = atomic_load_explicit(&p->incoming, memory_order_relaxed);
    do
        req->next = newest;
    while (!atomic_compare_exchange_weak(&p->incoming, &newest, req));
    wake_or_write(p);
    return SC_OK;
}

/* answers */

static void on_loaded(void *user, sc_err err, const sc_reply *reply)
{
    (void)user;
    if (!err && reply->type == SC_REPLY_ERROR)
        sc__log(SC_LOG_ERROR, "the server refuses to load a script: %.*s", (int)reply->str.len,
                reply->str.ptr);
}

static sc_err load_script(sc__pipeline *p, const sc__request *req)
{
    const sc_slice argv[] = {SC_S("SCRIPT"), SC_S("LOAD"), *req->script_text};
    sc__request *load;
    sc_err err;

    /* What has been taken in must not fail for want of room for its script. */
    err = make_request(p, argv, 3, SIZE_MAX, &load);
    if (err)
        return err;
    load->cb = on_loaded;
    load->is_load = true;
    load->script_text = req->script_text;
    load->deadline_ms = req->deadline_ms;
    sc__loads_planned(&p->loads, req->script_text);
    sc__requests_put(&p->again, load);
    return SC_OK;
}

/* True when the command was put back, to be sent again once its script is there. Of many commands that
 * met the same gap, the first loads. */
static bool send_with_script(sc__pipeline *p, sc__request *req)
{
    if (!req->script_text || req->is_load || req->script_loads == SCRIPT_LOADS_MAX)
        return false;
    req->script_loads++;
    if (!sc__loads_cover(&p->loads, req->script_text, req->order) && load_script(p, req))
        return false;
    sc__requests_put(&p->again, req);
    return true;
}

static void on_pause_over(void *arg)
{
    sc__pipeline_flush(arg);
}

/* The server turned away a write: a replica, or a primary that became one. 6.2 wraps the words when a
 * script met them. */
static bool means_read_only(const sc_reply *r)
{
    return sc__reply_is_error(r, "READONLY") || sc__reply_is_error(r, "MASTERDOWN") ||
           (r->str.len && memmem(r->str.ptr, r->str.len, "-READONLY ", 10));
}

/* True when the error was dealt with, so that the command is not finished by it. */
static bool handle_error(sc__pipeline *p, sc__request *req, const sc_reply *reply)
{
    if (!req->cb)
        return false;
    if (sc__reply_is_error(reply, "NOSCRIPT"))
        return send_with_script(p, req);
    if (sc__reply_is_error(reply, "LOADING")) {
        sc__requests_put(&p->again, req);
        if (!sc__timer_is_active(p->pause))
            sc__timer_start(p->pause, LOADING_PAUSE_MS);
        return true;
    }
    if (means_read_only(reply)) {
        p->retiring = true;
        finish(p, req, SC_EREADONLY, NULL);
        return true;
    }
    return false;
}

sc_err sc__pipeline_reply(sc__pipeline *p, const sc_reply *reply)
{
    sc__request *req;

    take_turn(p);
    req = sc__requests_take(&p->in_flight);
    if (!req)
        return SC_EPROTO;
    atomic_store_explicit(&p->asleep, false, memory_order_relaxed);
    sc__count_up(&p->replies, 1);
    if (reply->type != SC_REPLY_ERROR || !handle_error(p, req, reply))
        finish(p, req, SC_OK, reply);
    if (p->retiring && !p->in_flight.first)
        p->give_up(p->user, "the server does not accept writes now");
    return SC_OK;
}

/* deadlines */

/* Takes out what is overdue; gives the earliest deadline of the rest, or `earliest`. */
static int64_t sort_out(sc__requests *list, int64_t now_ms, sc__requests *overdue, int64_t earliest)
{
    sc__requests rest = {NULL, NULL};
    sc__request *req;

    while ((req = sc__requests_take(list))) {
        if (req->deadline_ms <= now_ms) {
            sc__requests_put(overdue, req);
            continue;
        }
        if (req->deadline_ms < earliest)
            earliest = req->deadline_ms;
        sc__requests_put(&rest, req);
    }
    *list = rest;
    return earliest;
}

/* In flight, what is overdue is told so and stays until its reply comes. */
static int64_t abandon_overdue(sc__pipeline *p, int64_t now_ms, int64_t earliest)
{
    for (sc__request *req = p->in_flight.first; req; req = req->next) {
        sc_reply_cb cb = req->cb;

        if (!cb)
            continue;
        if (req->deadline_ms > now_ms) {
            if (req->deadline_ms < earliest)
                earliest = req->deadline_ms;
            continue;
        }
        req->cb = NULL;
        sc__count_up(&p->timeouts, 1);
        cb(req->user, SC_ETIMEDOUT, NULL);
    }
    return earliest;
}

static void on_deadline(void *arg)
{
    sc__pipeline *p = arg;
    int64_t now_ms = sc__mono_ms(), earliest = INT64_MAX;
    sc__requests overdue = {NULL, NULL};
    sc__request *req;

    take_turn(p);
    /* Our thread may have been the late one: first read what is there already. */
    if (!p->deadline_polled) {
        p->deadline_polled = true;
        sc__timer_start(p->deadline, 1);
        return;
    }
    p->deadline_polled = false;
    p->next_deadline_ms = 0;
    earliest = sort_out(&p->again, now_ms, &overdue, earliest);
    earliest = sort_out(&p->waiting, now_ms, &overdue, earliest);
    earliest = abandon_overdue(p, now_ms, earliest);
    while ((req = sc__requests_take(&overdue))) {
        sc__count_up(&p->timeouts, 1);
        if (req->is_load)
            sc__loads_dropped(&p->loads, req->script_text);
        finish(p, req, SC_ETIMEDOUT, NULL);
    }
    if (p->in_flight.first && now_ms - p->heard_ms >= p->timeout_ms)
        p->give_up(p->user, "the server has not answered in time");
    else if (p->in_flight.first && p->heard_ms + p->timeout_ms < earliest)
        earliest = p->heard_ms + p->timeout_ms;
    if (earliest != INT64_MAX)
        plan_deadline(p, earliest, now_ms);
}

/* connections */

static void close_fd(sc__pipeline *p)
{
    if (p->fd >= 0)
        close(p->fd);
    p->fd = -1;
    p->rest.len = 0;
}

void sc__pipeline_attach(sc__pipeline *p, sc__conn *conn)
{
    take_turn(p);
    p->conn = conn;
    p->fd = sc__conn_dup(conn);
    p->retiring = false;
    p->loads.count = 0; /* another server, maybe */
}

void sc__pipeline_detach(sc__pipeline *p, sc_err err)
{
    sc__requests repeat = {NULL, NULL}, lost = {NULL, NULL};
    sc__request *req;

    take_turn(p);
    p->conn = NULL;
    close_fd(p);
    while ((req = sc__requests_take(&p->in_flight))) {
        /* What the reply was too large or too strange for would be so again. */
        bool culprit = err != SC_ECONNLOST && !repeat.first && !lost.first;

        if (req->cb && req->idempotent && !req->sent_again && !culprit) {
            req->sent_again = true;
            sc__requests_put(&repeat, req);
        } else {
            sc__requests_put(&lost, req);
        }
    }
    sc__requests_join(&repeat, &p->again);
    p->again = repeat;
    if (lost.first)
        finish(p, sc__requests_take(&lost), err, NULL);
    finish_all(p, &lost, SC_ECONNLOST);
}

sc_err sc__pipeline_start(sc__pipeline *p, sc__loop *loop)
{
    uv_loop_t *uv = sc__loop_uv(loop);
    sc_err err;

    p->loop = loop;
    p->fd = -1;
    p->out = sc__malloc(OUT_SIZE);
    err = p->out ? sc__timer_new(loop, on_deadline, p, &p->deadline) : SC_ENOMEM;
    if (!err)
        err = sc__timer_new(loop, on_pause_over, p, &p->pause);
    if (!err && uv_async_init(uv, &p->wake, on_wake))
        err = SC_ENOMEM;
    if (err) {
        sc__timer_free(p->deadline);
        sc__timer_free(p->pause);
        return err;
    }
    uv_prepare_init(uv, &p->before_sleep);
    p->before_sleep.data = p;
    uv_prepare_start(&p->before_sleep, on_before_sleep);
    return SC_OK;
}

void sc__pipeline_stop(sc__pipeline *p)
{
    take_turn(p);
    p->closing = true;
    p->conn = NULL;
    close_fd(p);
    take_incoming(p);
    finish_all(p, &p->in_flight, SC_ECANCELED);
    finish_all(p, &p->again, SC_ECANCELED);
    finish_all(p, &p->waiting, SC_ECANCELED);
    sc__timer_free(p->deadline);
    sc__timer_free(p->pause);
    uv_close((uv_handle_t *)&p->wake, NULL);
    uv_close((uv_handle_t *)&p->before_sleep, NULL);
    end_turn(p);
}

void sc__pipeline_release(sc__pipeline *p)
{
    pthread_mutex_destroy(&p->turn);
    sc_free(p->out);
}
