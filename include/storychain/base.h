/* What every public header shares: errors, byte slices, reasons, allocator and log hooks.
 *
 * Conventions of the whole library, said once:
 *
 *   - A function that can fail returns sc_err and nothing else; what it makes goes to `ret_…`
 *     parameters, which are written only on SC_OK.
 *   - Text and bytes come in as sc_slice. They are borrowed for the call unless the function
 *     says "copied" or "kept until …". They may hold any byte, NUL included.
 *   - `int64_t …_ms` are milliseconds: dates count from 1970-01-01T00:00:00Z, durations are >= 0.
 *   - Every function may be called from any thread unless it says otherwise. A handle must not
 *     be used while another thread frees it.
 *   - A plain call waits. Its `_async` twin returns at once; when it returned SC_OK its callback
 *     comes exactly once, on the client's I/O thread, and must not wait there. When it returned
 *     an error the callback never comes. */
#ifndef STORYCHAIN_BASE_H
#define STORYCHAIN_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SC_VERSION_MAJOR 0
#define SC_VERSION_MINOR 1
#define SC_VERSION_PATCH 0
#define SC_VERSION "0.1.0"

#if defined(__GNUC__)
#define SC_API __attribute__((visibility("default")))
#define SC_MUST_USE __attribute__((warn_unused_result))
#define SC_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SC_API
#define SC_MUST_USE
#define SC_PRINTF(fmt, args)
#endif

/* Every error of the library: name, what it means. Values are stable within a major version. */
#define SC_ERR_MAP(X)                                                                              \
    X(OK, 0, "no error")                                                                           \
    X(ENOMEM, 1, "out of memory")                                                                  \
    X(EINVAL, 2, "an argument is not valid")                                                       \
    X(ETOOBIG, 3, "larger than its limit allows")                                                  \
    X(ENOTFOUND, 4, "there is no such thing")                                                      \
    X(EEXIST, 5, "it exists already")                                                              \
    X(ESTATE, 6, "not in the state that this needs")                                               \
    X(ESYNTAX, 7, "the text does not follow its grammar")                                          \
    X(ETIMEDOUT, 8, "the deadline passed")                                                         \
    X(ECANCELED, 9, "cancelled before it finished")                                                \
    X(EDEADLK, 10, "a waiting call was made on the I/O thread, where nothing may wait")            \
    X(EBUSY, 11, "in use by someone else")                                                         \
    X(EIO, 12, "an input or output operation failed")                                              \
    X(EPERM, 13, "not permitted")                                                                  \
    X(ECONNECT, 14, "the server can't be reached")                                                 \
    X(ECONNLOST, 15, "the connection was lost before the reply came; the command may have run")    \
    X(EAUTH, 16, "the server refused the user or the password")                                    \
    X(EPROTO, 17, "the server sent something that is not the protocol")                            \
    X(EREPLY, 18, "the server answered with an error")                                             \
    X(EREADONLY, 19, "the server does not accept writes now")                                      \
    X(EOVERLOAD, 20, "too much is waiting already")                                                \
    X(ENOJOB, 21, "there is no such job")                                                          \
    X(ELOCKLOST, 22, "the lock of the job is held by another or has expired")                      \
    X(EJOBSTATE, 23, "the job is not in the state that this needs")                                \
    X(EPARENT, 24, "the parent job does not exist")                                                \
    X(ECHILDREN, 25, "the job has unfinished or failed children")                                  \
    X(ESCHEDULED, 26, "the job belongs to a job scheduler")                                        \
    X(ESLOT, 27, "the slot of the job scheduler is taken")                                         \
    X(EPAYLOAD, 28, "the payload is not what this kind of job needs")                              \
    X(ELAYOUT, 29, "the data in Redis is not of the layout this version knows")                    \
    X(EINTERNAL, 30, "a fault in StoryChain itself")

typedef enum sc_err {
#define X(name, value, text) SC_##name = (value),
    SC_ERR_MAP(X)
#undef X
} sc_err;

/* The error's name ("SC_ETIMEDOUT") and what it means in a few words. Static text, never NULL. */
SC_API const char *sc_err_name(sc_err err);
SC_API const char *sc_err_text(sc_err err);

/* Bytes and their number. `ptr` may be NULL only if `len` is 0. */
typedef struct sc_slice {
    const char *ptr;
    size_t len;
} sc_slice;

/* A slice of a string literal; of a C string. */
#ifdef __cplusplus
#define SC_S(literal) (sc_slice{"" literal, sizeof(literal) - 1})
#else
#define SC_S(literal) ((sc_slice){"" literal, sizeof(literal) - 1})
#endif

static inline sc_slice sc_slice_of(const char *text)
{
    sc_slice s = {text, text ? strlen(text) : 0};
    return s;
}

static inline bool sc_slice_eq(sc_slice a, sc_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* Why something was refused: one sentence for a person that says what, where and what to do.
 * Functions that take `sc_reason *ret_reason` accept NULL; it is written only on failure. */
typedef struct sc_reason {
    char text[320];
} sc_reason;

/* Calls that touch very many things go in slices: the server serves others in between, and things that come or go
 * meanwhile may be met or not. After each slice they tell how many are done so far; false stops them: SC_ECANCELED, and
 * what was done stays done. NULL: nobody asks. */
typedef struct sc_sweep {
    bool (*on_progress)(void *user, int64_t done); /* on the caller's thread */
    void *user;
} sc_sweep;

/* Memory that the library hands out as `T *` with "free with sc_free". NULL is fine. */
SC_API void sc_free(void *ptr);

/* Replaces malloc, realloc and free for the whole library. Call it before anything else, once.
 * `realloc_fn(NULL, n)` must act as malloc. */
typedef struct sc_allocator {
    void *(*malloc_fn)(size_t size);
    void *(*realloc_fn)(void *ptr, size_t size);
    void (*free_fn)(void *ptr);
} sc_allocator;

SC_API void sc_set_allocator(const sc_allocator *allocator);

/* The library never prints. It tells a hook what a person who runs the program wants to know:
 * connections lost and found, jobs that stalled, a cache that works without its server.
 * The hook may be called from any thread and must not call the library. Default: no hook. */
typedef enum sc_log_level { SC_LOG_DEBUG, SC_LOG_INFO, SC_LOG_WARN, SC_LOG_ERROR } sc_log_level;
typedef void (*sc_log_cb)(sc_log_level level, const char *text, void *user);

SC_API void sc_set_log(sc_log_cb cb, void *user);

/* The version the program runs with: "0.1.0". */
SC_API const char *sc_version(void);

#ifdef __cplusplus
}
#endif
#endif
