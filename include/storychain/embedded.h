/* A Redis or Valkey server as a child of this process, for programs that were given none.
 *
 * It keeps its data in a folder of ours (append-only file, fsync each second), listens on a unix
 * socket there and on no port, and ends with this process, also when that is killed.
 *
 * Since 0.1. */
#ifndef STORYCHAIN_EMBEDDED_H
#define STORYCHAIN_EMBEDDED_H

#include <storychain/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sc_embedded sc_embedded;

/* Starts the server (the first of valkey-server, redis-server on PATH; `program` overrides) with its files
 * in `folder`, which must exist and be writable by us, and waits up to 10 s until it answers.
 * A server that an earlier process of ours left in that folder is taken over. The log of one that was killed is mended first, for up to
 * a minute.
 * SC_ENOTFOUND: no such program (the reason names the package to install). SC_EBUSY: the folder is in
 * use by another live process. SC_EIO: it did not start; the reason has the last line of its log. */
SC_API SC_MUST_USE sc_err sc_embedded_start(const char *folder, const char *program,
                                            sc_embedded **ret_server, sc_reason *ret_reason);

/* The URL of a server that another process runs with its files in `folder`; free with sc_free.
 * SC_ENOTFOUND: none runs there; one that does not answer for a while does. Starts nothing. */
SC_API SC_MUST_USE sc_err sc_embedded_find(const char *folder, char **ret_url);

/* The URL to make a client from: "unix:///…/redis.sock". Valid until stop. */
SC_API const char *sc_embedded_url(const sc_embedded *server);

/* The program that runs ("/usr/bin/redis-server") and its process id. */
SC_API const char *sc_embedded_program(const sc_embedded *server);
SC_API int64_t sc_embedded_pid(const sc_embedded *server);

/* True while the child lives. When it died by itself, sc_embedded_restart() starts it again. */
SC_API bool sc_embedded_is_alive(sc_embedded *server);
SC_API SC_MUST_USE sc_err sc_embedded_restart(sc_embedded *server, sc_reason *ret_reason);

/* Asks it to save and end, waits up to 10 s, then kills it. Frees. NULL is fine. */
SC_API void sc_embedded_stop(sc_embedded *server);

#ifdef __cplusplus
}
#endif
#endif
