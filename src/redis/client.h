/* The multiplexed connection, as the floors above use it. States: connecting, handshake, ready,
 * waiting (for the next attempt), closed. The public half is <storychain/client.h>. */
#ifndef SC_REDIS_CLIENT_H
#define SC_REDIS_CLIENT_H

#include <storychain/client.h>

#include "loop/loop.h"

/* Longer timeouts are cut to this: 24 days. */
#define SC__TIMEOUT_MAX_MS INT32_MAX

/* How one command is sent. Zeroed: the client's own deadline, no resending, no script. */
typedef struct sc__send_opts {
    int64_t timeout_ms; /* 0: the client's command_timeout_ms */
    /* The command may be sent again when its connection broke before the reply: it reads only, or
     * doing it twice is the same as once. */
    bool idempotent;
    /* For EVALSHA: the script's text, which must live as long as the program. When the server answers
     * NOSCRIPT, the client loads the text and sends the same command again; nobody above notices. */
    const sc_slice *script_text;
} sc__send_opts;

/* Sends; `cb` on the I/O thread. `argv` is borrowed for the call. An error reply comes as SC_OK with
 * SC_REPLY_ERROR, except that these end the connection or mean "not now" and are errors:
 * READONLY, MASTERDOWN -> reconnect and SC_EREADONLY; LOADING -> kept and sent again until the deadline. */
SC_MUST_USE sc_err sc__client_send(sc_client *client, const sc_slice *argv, size_t argc,
                                   const sc__send_opts *opts, sc_reply_cb cb, void *user);

/* The same, waiting. SC_EDEADLK on the I/O thread. */
SC_MUST_USE sc_err sc__client_send_wait(sc_client *client, const sc_slice *argv, size_t argc,
                                        const sc__send_opts *opts, sc_reply **ret_reply);

/* What was sent goes out now, and not when the I/O thread has nothing else to do. On the I/O thread, by who has long work
 * ahead. */
void sc__client_push(sc_client *client);

/* The client's loop, to hang timers and blocking connections on. */
sc__loop *sc__client_loop(sc_client *client);

/* The options it was made from (defaults filled in, strings live as long as the client). */
const sc_client_opts *sc__client_opts(const sc_client *client);

/* Where it connects to, for connections of one's own beside it. Lives as long as the client. */
const struct sc__conn_target *sc__client_target(const sc_client *client);

/* Grows when that becomes another server, as sentinels tell: a connection that was opened before leads to the old one. I/O thread only. */
uint64_t sc__client_moves(const sc_client *client);

/* What it hears; see pubsub.h. */
struct sc__pubsub *sc__client_pubsub(sc_client *client);

/* A place for what the workers of a client share (worker/hub.h); NULL at first. On the I/O thread. */
void **sc__client_hub(sc_client *client);

/* Called on the I/O thread after each change: connected, or not. For roles that must act on it (a
 * near cache drops its values, a fetcher fetches again). Unwatch before the watcher is freed; both on
 * any thread. `cb` doesn't come after unwatch returned. */
typedef struct sc__client_watch {
    void (*cb)(void *user, bool connected);
    void *user;
    struct sc__client_watch *next;
} sc__client_watch;

void sc__client_watch_add(sc_client *client, sc__client_watch *watch);
void sc__client_watch_remove(sc_client *client, sc__client_watch *watch);

#endif
