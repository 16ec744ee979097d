/* A client: one I/O thread and one connection to a Redis or Valkey server, shared by all threads.
 *
 * Commands of many threads join one pipeline by themselves. The connection is opened in the
 * background and opened again when lost: 50 ms after the first failure, doubling to 500 ms, with
 * jitter. Until then commands wait, each up to its deadline, in a queue with a ceiling.
 *
 * A command whose bytes may have reached the server when the connection broke ends with
 * SC_ECONNLOST: it may have run. One that had not been written yet is sent on the next connection.
 *
 * Queues, workers, caches and schedulers are made from a client and must be closed before it.
 * A process that was forked has no I/O thread of its parent's: calls on what was made before would wait for ever there. It makes its own client,
 * and frees none of the parent's.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_CLIENT_H
#define STORYCHAIN_CLIENT_H

#include <storychain/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_client sc_client;

typedef struct sc_client_opts {
    /* redis://[user[:password]@]host[:port][/db], rediss:// (TLS), unix:///path/to.sock[?db=n]; or by Sentinel:
     * redis+sentinel://[user[:password]@]host[:port][,host[:port]…]/master[/db][?sentinel_user=…&sentinel_password=…],
     * rediss+sentinel:// (up to 32 hosts). NULL: "redis://127.0.0.1:6379". Percent-encoding is undone in user, password, path and master. */
    const char *url;
    const char *name; /* CLIENT SETNAME; NULL: none */
    /* Over 24 days are taken as 24 days, negative ones are SC_EINVAL. */
    int64_t connect_timeout_ms; /* for one attempt, handshake included; 0: 5,000 */
    int64_t command_timeout_ms; /* deadline of a command; 0: 5,000 */
    /* Of commands not answered yet; calls that would go over it get SC_EOVERLOAD. 0: 256 MiB. */
    size_t max_waiting_bytes;
    size_t max_reply_bytes; /* one reply; larger ones close the connection; 0: 512 MiB */
    /* TLS. Verification is on; the server's name is checked against its certificate. */
    const char *tls_ca_file;   /* PEM; NULL: the system's store */
    const char *tls_cert_file; /* PEM, for servers that ask for one; NULL: none */
    const char *tls_key_file;
    const char *tls_server_name; /* NULL: the host of the URL, or the one that a sentinel told */
    bool tls_insecure;           /* accept any certificate: for tests only */
} sc_client_opts;

/* Makes a client and starts connecting; doesn't wait for it. `opts` (NULL: all defaults) is copied.
 * SC_EINVAL with a reason for a URL or a file that can't be used; SC_ENOMEM. */
SC_API SC_MUST_USE sc_err sc_client_new(const sc_client_opts *opts, sc_client **ret_client,
                                        sc_reason *ret_reason);

/* Ends every waiting command with SC_ECANCELED, joins the I/O thread, frees. NULL is fine.
 * Not on the I/O thread. */
SC_API void sc_client_free(sc_client *client);

/* Waits until the server has answered the handshake. SC_ETIMEDOUT, or SC_EAUTH when it refused us;
 * `ret_reason` says what the last attempt met ("redis://10.0.0.7:6379: connection refused"). */
SC_API SC_MUST_USE sc_err sc_client_wait_ready(sc_client *client, int64_t timeout_ms,
                                               sc_reason *ret_reason);

/* True between a finished handshake and the loss of that connection. */
SC_API bool sc_client_is_connected(const sc_client *client);

/* What the server is: "redis" or "valkey" and its version. Empty until the first handshake. Copied out. */
typedef struct sc_server_info {
    char software[16];
    char version[32];
} sc_server_info;

SC_API void sc_client_server(const sc_client *client, sc_server_info *ret_info);

/* Counters since the client was made. */
typedef struct sc_client_stats {
    uint64_t commands, replies, timeouts, reconnects;
    uint64_t bytes_out, bytes_in;
    uint64_t writes; /* write calls: commands / writes is the mean length of a pipeline */
} sc_client_stats;

SC_API void sc_client_stats_get(const sc_client *client, sc_client_stats *ret_stats);

/* A reply. RESP2 and RESP3 servers give the same shapes where they mean the same. */
typedef enum sc_reply_type {
    SC_REPLY_NIL,
    SC_REPLY_STRING, /* bulk, verbatim (without its "txt:" mark) or simple: bytes in `str` */
    SC_REPLY_ERROR,  /* "CODE message" in `str` */
    SC_REPLY_INT,
    SC_REPLY_DOUBLE,
    SC_REPLY_BOOL,      /* in `integer` */
    SC_REPLY_BIGNUMBER, /* digits in `str` */
    SC_REPLY_ARRAY,     /* arrays, sets, pushes: `count` items */
    SC_REPLY_MAP        /* `count` items: key, value, key, value … (count is even) */
} sc_reply_type;

typedef struct sc_reply {
    sc_reply_type type;
    sc_slice str;
    int64_t integer;
    double number;
    size_t count;
    const struct sc_reply *items;
} sc_reply;

/* The bytes of `argv` are borrowed for the call in both forms.
 *
 * Plain: on SC_OK `*ret_reply` is the caller's, free it with sc_reply_free. An error reply of the
 * server is SC_OK with type SC_REPLY_ERROR. Blocking commands (BLPOP, XREAD BLOCK, …), SUBSCRIBE,
 * MONITOR, MULTI and SELECT must not be sent: they would act on the connection that all share.
 * SC_EDEADLK on the I/O thread, SC_EOVERLOAD, SC_ETIMEDOUT, SC_ECONNLOST, SC_ECANCELED. */
SC_API SC_MUST_USE sc_err sc_client_call(sc_client *client, const sc_slice *argv, size_t argc,
                                         sc_reply **ret_reply);
SC_API void sc_reply_free(sc_reply *reply);

/* `reply` is NULL unless `err` is SC_OK, and lives until the callback returns. */
typedef void (*sc_reply_cb)(void *user, sc_err err, const sc_reply *reply);

SC_API SC_MUST_USE sc_err sc_client_call_async(sc_client *client, const sc_slice *argv, size_t argc,
                                               sc_reply_cb cb, void *user);

#ifdef __cplusplus
}
#endif
#endif
