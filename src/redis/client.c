#include "client.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/cond.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "loop/timer.h"
#include "loop/waiter.h"
#include "client_opts.h"
#include "conn.h"
#include "pipeline.h"
#include "pubsub.h"
#include "reconnect.h"
#include "reply.h"
#include "sentinel.h"
#include "tls.h"
#include "tracking.h"
#include "url.h"

struct sc_client {
    sc_client_opts opts; /* strings are ours */
    sc__url url;
    SSL_CTX *tls; /* NULL: none */
    sc__conn_target target;
    sc__loop *loop;
    sc__pipeline pipeline;

    /* the I/O thread's */
    sc__conn *conn;         /* NULL while waiting for the next attempt */
    sc__sentinel *sentinel; /* NULL: the URL says where the server is */
    sc__timer *retry;
    sc__reconnect reconnect;
    bool ready, told_lost;
    sc__pubsub pubsub;
    sc__client_watch *watches, *next_watch; /* next: while they are being called */
    void *hub;
    uint64_t moves; /* times that sentinels told of another server */

    const sc__tracking *tracking; /* NULL: none */
    atomic_bool is_tracked;
    atomic_int_fast64_t server_ahead_ms; /* of our monotonic clock; INT64_MIN: not known */

    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool connected;      /* from here on: under the mutex */
    sc_err last_err;     /* of the last attempt; SC_OK: none has ended */
    sc_reason last_text; /* what it met */
    sc_server_info info;
    uint64_t reconnects;

    sc__traffic traffic;
};

/* connecting, and again */

static void note_tracking(sc_client *c)
{
    int64_t ahead_ms = sc__conn_server_ahead_ms(c->conn);

    atomic_store(&c->is_tracked, sc__conn_is_tracked(c->conn));
    if (ahead_ms != INT64_MIN)
        atomic_store(&c->server_ahead_ms, ahead_ms);
}

static void set_connected(sc_client *c, bool connected, const sc_server_info *info)
{
    pthread_mutex_lock(&c->mutex);
    if (connected) {
        c->info = *info;
        c->last_err = SC_OK;
    }
    c->connected = connected;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

static void set_failure(sc_client *c, sc_err err, const char *text)
{
    pthread_mutex_lock(&c->mutex);
    c->last_err = err;
    sc__because(&c->last_text, err, "%s: %s", c->url.shown, text);
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->mutex);
}

static void tell_watches(sc_client *c, bool connected)
{
    sc__client_watch *watch = c->watches;

    while (watch) {
        c->next_watch = watch->next;
        watch->cb(watch->user, connected);
        watch = c->next_watch;
    }
}

static void retry_later(sc_client *c)
{
    sc__timer_start(c->retry, sc__reconnect_next(&c->reconnect));
}

static void on_ready(void *user, const sc_server_info *info)
{
    sc_client *c = user;

    c->ready = true;
    sc__reconnect_up(&c->reconnect);
    if (c->told_lost && !c->tracking)
        sc__log(SC_LOG_INFO, "%s: connected again", c->url.shown);
    c->told_lost = false;
    note_tracking(c);
    set_connected(c, true, info);
    sc__pipeline_attach(&c->pipeline, c->conn);
    tell_watches(c, true);
}

static void on_ended(void *user, sc_err err, const char *text)
{
    sc_client *c = user;
    bool was_ready = c->ready;

    set_failure(c, err, text);
    c->conn = NULL;
    c->ready = false;
    if (!c->told_lost && !c->tracking)
        sc__log(SC_LOG_WARN, "%s: %s: %s; trying again until it works", c->url.shown,
                was_ready ? "connection lost" : "can't connect", text);
    c->told_lost = true;
    if (was_ready) {
        set_connected(c, false, NULL);
        pthread_mutex_lock(&c->mutex);
        c->reconnects++;
        pthread_mutex_unlock(&c->mutex);
        sc__pipeline_detach(&c->pipeline, err);
        tell_watches(c, false);
    }
    retry_later(c);
}

static void give_up(void *user, const char *why)
{
    sc_client *c = user;
    sc__conn *conn = c->conn;

    on_ended(c, SC_ECONNLOST, why);
    sc__conn_close(conn);
}

static void on_reply(void *user, const sc_reply *reply, bool is_push)
{
    sc_client *c = user;

    if (is_push && c->tracking)
        sc__tracking_hear(c->tracking, reply);
    /* other pushes: nothing of ours subscribes to anything on this connection */
    if (!is_push && sc__pipeline_reply(&c->pipeline, reply))
        give_up(c, "the server sent a reply that nothing asked for");
}

static void on_writable(void *user)
{
    sc_client *c = user;

    sc__pipeline_flush(&c->pipeline);
}

static const sc__conn_events conn_events = {on_ready, on_reply, on_writable, on_ended};

static void open_conn(sc_client *c)
{
    if (sc__conn_open(c->loop, &c->target, &conn_events, c, &c->conn)) {
        c->conn = NULL;
        set_failure(c, SC_ENOMEM, "out of memory");
        retry_later(c);
    }
}

/* The channels and the waits that are open follow: the old server may be there still. */
static sc_err set_address(sc_client *c, const char *host, int port)
{
    char *copy;

    if (c->url.host && port == c->url.port && !strcmp(c->url.host, host))
        return SC_OK;
    copy = sc__strdup(host);
    if (!copy)
        return SC_ENOMEM;
    if (c->url.host)
        sc__log(SC_LOG_INFO, "%s: %s:%d is the master now", c->url.shown, host, port);
    sc_free(c->url.host);
    c->url.host = copy;
    c->url.port = port;
    c->moves++;
    sc__pubsub_move(&c->pubsub);
    return SC_OK;
}

static void on_told(void *user, sc_err err, const char *host, int port, const char *text)
{
    sc_client *c = user;

    if (!err) {
        err = set_address(c, host, port);
        text = sc_err_text(err);
    }
    if (err)
        on_ended(c, err, text);
    else
        open_conn(c);
}

static void on_moved(void *user)
{
    sc_client *c = user;

    if (c->conn)
        give_up(c, "the sentinels have made another server the master");
}

static const sc__sentinel_events sentinel_events = {on_told, on_moved};

static void connect_again(void *arg)
{
    sc_client *c = arg;

    if (c->sentinel)
        sc__sentinel_ask(c->sentinel);
    else
        open_conn(c);
}

/* making and freeing */

static void free_parts(sc_client *c)
{
    sc__pipeline_release(&c->pipeline);
    sc__url_release(&c->url);
    SSL_CTX_free(c->tls);
    sc__client_opts_release(&c->opts);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->mutex);
    sc_free(c);
}

struct start {
    sc_client *client;
    sc_err err;
};

static void start_on_loop(void *arg)
{
    struct start *start = arg;
    sc_client *c = start->client;

    start->err = sc__timer_new(c->loop, connect_again, c, &c->retry);
    if (start->err)
        return;
    start->err = sc__pubsub_start(&c->pubsub, c);
    if (!start->err && c->url.master)
        start->err = sc__sentinel_new(c->loop, &c->target, &sentinel_events, c, &c->sentinel);
    if (!start->err)
        start->err = sc__pipeline_start(&c->pipeline, c->loop);
    if (start->err) {
        sc__pubsub_stop(&c->pubsub);
        sc__sentinel_free(c->sentinel);
        sc__timer_free(c->retry);
    } else {
        connect_again(c);
    }
}

static void stop_on_loop(void *arg)
{
    sc_client *c = arg;

    sc__conn_close(c->conn);
    c->conn = NULL;
    sc__sentinel_free(c->sentinel);
    sc__timer_free(c->retry);
    sc__pubsub_stop(&c->pubsub);
    sc__pipeline_stop(&c->pipeline);
}

static sc_err prepare(sc_client *c, const sc_client_opts *opts, sc_reason *reason)
{
    sc_err err;

    err = sc__client_opts_copy(opts, &c->opts, reason);
    if (!err)
        err = sc__url_parse(c->opts.url, &c->url, reason);
    if (!err && c->url.tls)
        err = sc__tls_context(&c->opts, &c->tls, reason);
    if (err)
        return err;
    c->target = (sc__conn_target){
        .url = &c->url,
        .name = c->opts.name,
        .connect_timeout_ms = c->opts.connect_timeout_ms,
        .max_reply_bytes = c->opts.max_reply_bytes,
        .tls = c->tls,
        .tls_server_name = c->opts.tls_server_name,
        .traffic = &c->traffic,
        .tracks = c->tracking != NULL,
        .track_prefix = c->tracking ? c->tracking->broadcast_prefix : NULL,
    };
    c->pipeline.timeout_ms = c->opts.command_timeout_ms;
    c->pipeline.max_waiting_bytes = c->opts.max_waiting_bytes;
    c->pipeline.traffic = &c->traffic;
    c->pipeline.give_up = give_up;
    c->pipeline.user = c;
    return SC_OK;
}

static sc_err start(sc_client *c)
{
    struct start start = {.client = c};
    sc_err err;

    err = sc__loop_start("sc-io", &c->loop);
    if (err)
        return err;
    sc__loop_run_wait(c->loop, start_on_loop, &start);
    if (start.err)
        sc__loop_stop(c->loop);
    return start.err;
}

static void init_sync(sc_client *c)
{
    sc__cond_init(&c->changed);
    pthread_mutex_init(&c->mutex, NULL);
    pthread_mutex_init(&c->pipeline.turn, NULL);
}

static sc_err new_client(const sc_client_opts *opts, const sc__tracking *tracking,
                         sc_client **ret_client, sc_reason *ret_reason)
{
    sc_client *c = sc__calloc(1, sizeof(*c));
    sc_reason reason = {""};
    sc_err err;

    if (!c)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    init_sync(c);
    c->tracking = tracking;
    atomic_init(&c->server_ahead_ms, INT64_MIN);
    err = prepare(c, opts, &reason);
    if (!err)
        err = start(c);
    if (err) {
        free_parts(c);
        return sc__because(ret_reason, err, "%s", reason.text[0] ? reason.text : sc_err_text(err));
    }
    *ret_client = c;
    return SC_OK;
}

sc_err sc_client_new(const sc_client_opts *opts, sc_client **ret_client, sc_reason *ret_reason)
{
    return new_client(opts, NULL, ret_client, ret_reason);
}

sc_err sc__client_new_tracking(const sc_client *like, const sc__tracking *tracking,
                               sc_client **ret_client, sc_reason *ret_reason)
{
    return new_client(&like->opts, tracking, ret_client, ret_reason);
}

void sc_client_free(sc_client *client)
{
    if (!client)
        return;
    sc__loop_run_wait(client->loop, stop_on_loop, client);
    sc__loop_stop(client->loop);
    free_parts(client);
}

/* state */

sc_err sc_client_wait_ready(sc_client *client, int64_t timeout_ms, sc_reason *ret_reason)
{
    struct timespec until = sc__cond_after(timeout_ms);
    sc_err err = SC_OK;

    if (sc__loop_is_current(client->loop))
        return sc__because(ret_reason, SC_EDEADLK, "%s", sc_err_text(SC_EDEADLK));
    pthread_mutex_lock(&client->mutex);
    while (!client->connected && client->last_err != SC_EAUTH && !err)
        if (pthread_cond_timedwait(&client->changed, &client->mutex, &until))
            err = SC_ETIMEDOUT;
    if (client->connected)
        err = SC_OK;
    else if (client->last_err == SC_EAUTH)
        err = SC_EAUTH;
    if (err && client->last_err)
        sc__because(ret_reason, err, "%s", client->last_text.text);
    else if (err)
        sc__because(ret_reason, err, "%s: no answer yet", client->url.shown);
    pthread_mutex_unlock(&client->mutex);
    return err;
}

bool sc_client_is_connected(const sc_client *client)
{
    sc_client *c = (sc_client *)client; /* the mutex alone is changed */
    bool connected;

    pthread_mutex_lock(&c->mutex);
    connected = c->connected;
    pthread_mutex_unlock(&c->mutex);
    return connected;
}

void sc_client_server(const sc_client *client, sc_server_info *ret_info)
{
    sc_client *c = (sc_client *)client;

    pthread_mutex_lock(&c->mutex);
    *ret_info = c->info;
    pthread_mutex_unlock(&c->mutex);
}

void sc_client_stats_get(const sc_client *client, sc_client_stats *ret_stats)
{
    sc_client *c = (sc_client *)client;

    *ret_stats = (sc_client_stats){
        .commands = atomic_load_explicit(&c->pipeline.commands, memory_order_relaxed),
        .replies = atomic_load_explicit(&c->pipeline.replies, memory_order_relaxed),
        .timeouts = atomic_load_explicit(&c->pipeline.timeouts, memory_order_relaxed),
        .bytes_out = atomic_load_explicit(&c->traffic.bytes_out, memory_order_relaxed),
        .bytes_in = atomic_load_explicit(&c->traffic.bytes_in, memory_order_relaxed),
        .writes = atomic_load_explicit(&c->traffic.writes, memory_order_relaxed),
    };
    pthread_mutex_lock(&c->mutex);
    ret_stats->reconnects = c->reconnects;
    pthread_mutex_unlock(&c->mutex);
}

bool sc__client_is_tracked(const sc_client *client)
{
    return atomic_load(&client->is_tracked);
}

int64_t sc__client_server_at(const sc_client *client, int64_t mono_ms)
{
    int64_t ahead_ms = atomic_load_explicit(&client->server_ahead_ms, memory_order_relaxed);

    return ahead_ms == INT64_MIN ? sc__wall_ms() : mono_ms + ahead_ms;
}

int64_t sc__client_server_ms(const sc_client *client)
{
    return sc__client_server_at(client, sc__mono_ms());
}

void sc__client_note_time(sc_client *client, const sc_reply *reply, int64_t asked_ns)
{
    int64_t ahead_ms;

    if (sc__reply_server_ahead(reply, asked_ns, &ahead_ms) == SC_OK)
        atomic_store(&client->server_ahead_ms, ahead_ms);
}

void sc__client_push(sc_client *client)
{
    sc__pipeline_push(&client->pipeline);
}

void **sc__client_hub(sc_client *client)
{
    return &client->hub;
}

sc__loop *sc__client_loop(sc_client *client)
{
    return client->loop;
}

const sc_client_opts *sc__client_opts(const sc_client *client)
{
    return &client->opts;
}

const sc__conn_target *sc__client_target(const sc_client *client)
{
    return &client->target;
}

uint64_t sc__client_moves(const sc_client *client)
{
    return client->moves;
}

sc__pubsub *sc__client_pubsub(sc_client *client)
{
    return &client->pubsub;
}

/* watches: kept on the I/O thread, so that removing one waits for its callback */

struct watching {
    sc_client *client;
    sc__client_watch *watch;
};

static void add_on_loop(void *arg)
{
    struct watching *w = arg;

    w->watch->next = w->client->watches;
    w->client->watches = w->watch;
}

static void remove_on_loop(void *arg)
{
    struct watching *w = arg;
    sc__client_watch **at = &w->client->watches;

    while (*at && *at != w->watch)
        at = &(*at)->next;
    if (*at)
        *at = w->watch->next;
    if (w->client->next_watch == w->watch)
        w->client->next_watch = w->watch->next;
}

void sc__client_watch_add(sc_client *client, sc__client_watch *watch)
{
    sc__loop_run_wait(client->loop, add_on_loop, &(struct watching){client, watch});
}

void sc__client_watch_remove(sc_client *client, sc__client_watch *watch)
{
    sc__loop_run_wait(client->loop, remove_on_loop, &(struct watching){client, watch});
}

/* commands */

sc_err sc__client_send(sc_client *client, const sc_slice *argv, size_t argc,
                       const sc__send_opts *opts, sc_reply_cb cb, void *user)
{
    return sc__pipeline_submit(&client->pipeline, argv, argc, opts, cb, user);
}

struct call {
    sc__waiter waiter;
    sc_err err;
    sc_reply *reply;
};

static void on_answered(void *user, sc_err err, const sc_reply *reply)
{
    struct call *call = user;

    call->err = err;
    if (!err) {
        call->reply = sc__reply_dup(reply);
        call->err = call->reply ? SC_OK : SC_ENOMEM;
    }
    sc__waiter_wake(&call->waiter);
}

sc_err sc__client_send_wait(sc_client *client, const sc_slice *argv, size_t argc,
                            const sc__send_opts *opts, sc_reply **ret_reply)
{
    struct call call = {.err = SC_OK};
    sc_err err;

    if (sc__loop_is_current(client->loop))
        return SC_EDEADLK;
    sc__waiter_init(&call.waiter);
    err = sc__client_send(client, argv, argc, opts, on_answered, &call);
    if (!err) {
        sc__waiter_wait(&call.waiter);
        err = call.err;
    }
    sc__waiter_release(&call.waiter);
    if (!err)
        *ret_reply = call.reply;
    return err;
}

sc_err sc_client_call(sc_client *client, const sc_slice *argv, size_t argc, sc_reply **ret_reply)
{
    return sc__client_send_wait(client, argv, argc, NULL, ret_reply);
}

sc_err sc_client_call_async(sc_client *client, const sc_slice *argv, size_t argc, sc_reply_cb cb,
                            void *user)
{
    return sc__client_send(client, argv, argc, NULL, cb, user);
}
