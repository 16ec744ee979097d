/* RESP2 and RESP3 on the wire: commands are written, replies are read as their bytes come in.
 *
 * A reply is read in two passes. The first walks over the headers, checks every number against its
 * limit and allocates nothing but the read buffer, which grows with what has arrived. When the reply
 * is complete, the second makes its nodes; strings point into the read buffer. So a size or a count
 * that a server only announces costs nothing. */
#ifndef SC_REDIS_RESP_H
#define SC_REDIS_RESP_H

#include <storychain/client.h>

#include "base/str.h"

enum {
    SC__RESP_DEPTH_MAX = 32,
    SC__RESP_LINE_MAX = 64 * 1024,       /* a simple string, an error, a number */
    SC__RESP_NODES_MAX = 8 * 1024 * 1024 /* values in one reply, at all depths */
};

/* How many bytes the command takes on the wire. SC_EINVAL for argc 0, SC_ETOOBIG over `max`. */
SC_MUST_USE sc_err sc__resp_command_size(const sc_slice *argv, size_t argc, size_t max,
                                         size_t *ret_size);

/* Writes exactly the bytes that sc__resp_command_size() counted; returns the end. */
char *sc__resp_command_write(char *out, const sc_slice *argv, size_t argc);

/* Appends the command to a string, whose ceiling bounds it; a failure is the string's `err`, as of its other calls. */
void sc__resp_command_append(sc__str *out, const sc_slice *argv, size_t argc);

/* An aggregate under way. */
struct sc__resp_frame {
    size_t left;    /* values to come */
    bool attribute; /* `|`: belongs to the value after it, and is skipped */
};

typedef struct sc__resp {
    char *buf; /* the unread bytes are [start, end) */
    size_t start, end, cap;
    size_t max_bytes; /* of one reply */

    size_t at;   /* the first pass has understood [start, at) */
    size_t seen; /* there is no line end in [at, seen) */
    size_t depth, node_count;
    bool is_push;
    struct sc__resp_frame frames[SC__RESP_DEPTH_MAX];

    sc_reply *nodes; /* of the last reply handed out */
    size_t node_cap, node_at;
    sc_err err; /* the first failure; nothing is read after it */
    const char *what;
} sc__resp;

void sc__resp_init(sc__resp *p, size_t max_reply_bytes);
void sc__resp_release(sc__resp *p);

/* Where to read the next bytes to: at least 1, usually 16 KiB and more. Ends the life of the last reply. */
SC_MUST_USE sc_err sc__resp_space(sc__resp *p, char **ret_space, size_t *ret_len);
void sc__resp_fed(sc__resp *p, size_t len);

/* The next complete reply, or NULL when more bytes are needed. It lives until the next call of this or
 * of sc__resp_space(). SC_EPROTO, SC_ETOOBIG, SC_ENOMEM: the stream can't be read on; `p->what` says
 * why. */
SC_MUST_USE sc_err sc__resp_next(sc__resp *p, const sc_reply **ret_reply, bool *ret_is_push);

/* Reads "1.5", "-inf", "nan" as RESP and Redis write them, whatever the locale. */
bool sc__double_parse(sc_slice text, double *ret_value);

#endif
