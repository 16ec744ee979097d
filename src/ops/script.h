/* Calling a Lua script of ours by its SHA1; the client reloads it when the server has forgotten it. */
#ifndef SC_OPS_SCRIPT_H
#define SC_OPS_SCRIPT_H

#include "base/arena.h"
#include "redis/blocking.h"
#include "redis/client.h"

/* One script, as tools/embed made it from lua/<name>-<key_count>.lua, includes resolved. All of them are
 * named in the generated "scripts.h": SC__SCRIPT_<name>. */
typedef struct sc__script {
    const char *name;
    sc_slice text;
    const char *sha1; /* 40 hex digits */
    size_t key_count;
} sc__script;

/* Stops the compiler when an array of keys has not the script's number: SC__SCRIPT_CHECK_KEYS(promoteJob, keys); */
#define SC__SCRIPT_CHECK_KEYS(script, keys)                                                        \
    _Static_assert(sizeof(keys) / sizeof(*(keys)) == SC__SCRIPT_KEYS_##script,                     \
                   "lua/" #script " takes another number of keys")

/* EVALSHA with these keys and arguments. `key_count` must be the script's own. */
SC_MUST_USE sc_err sc__script_call(sc_client *client, const sc__script *script,
                                   const sc_slice *keys, size_t key_count, const sc_slice *args,
                                   size_t arg_count, const sc__send_opts *opts, sc_reply_cb cb,
                                   void *user);

/* The same on a blocking connection, behind a command that blocks: see sc__blocking_call_then(). A script that the server has
 * forgotten is not loaded there: the answer is NOSCRIPT. */
SC_MUST_USE sc_err sc__script_call_behind(sc__blocking *blocking, const sc__command *first,
                                          int64_t block_ms, const sc__script *script,
                                          const sc_slice *keys, size_t key_count,
                                          const sc_slice *args, size_t arg_count, sc_reply_cb cb,
                                          void *user);

/* The same as sc__script_call, waiting. */
SC_MUST_USE sc_err sc__script_call_wait(sc_client *client, const sc__script *script,
                                        const sc_slice *keys, size_t key_count,
                                        const sc_slice *args, size_t arg_count,
                                        const sc__send_opts *opts, sc_reply **ret_reply);

/* The same for a script that answers with a number: its negative ones (codes.h) become errors. Not repeated
 * after a lost connection. */
SC_MUST_USE sc_err sc__script_call_number(sc_client *client, const sc__script *script,
                                          const sc_slice *keys, const sc_slice *args,
                                          size_t arg_count, int64_t *ret_number,
                                          sc_reason *ret_reason);

/* A list of arguments that grows; numbers are written into its arena. The first failure is kept in
 * `err`, to be looked at once before the call. Slices are borrowed until the call. */
typedef struct sc__args {
    sc_slice *items;
    size_t count, cap;
    sc__arena *arena;
    sc_err err;
} sc__args;

void sc__args_init(sc__args *args, sc__arena *arena);
void sc__args_slice(sc__args *args, sc_slice value);
void sc__args_text(sc__args *args, const char *value);
void sc__args_int(sc__args *args, int64_t value);
void sc__args_bool(sc__args *args, bool value); /* "1" or "0" */

#endif
