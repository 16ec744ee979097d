/* The open connections, each with a deadline for what it does now; those that are too slow end.
 *
 * A client that sends a byte now and then never looks idle, so that libmicrohttpd's own timeout
 * would keep it for ever. Here a whole step (a request's head, its body, taking the answer) has
 * one deadline. When most of the connections are in use, those that send nothing useful get less
 * time, so that slow clients can't keep others out. */
#ifndef SERVER_CONNS_H
#define SERVER_CONNS_H

#include <storychain/base.h>

struct conns;
struct conn;

enum conn_step {
    CONN_WAITING, /* no request, or its head is arriving */
    CONN_READING, /* its body is arriving */
    CONN_RUNNING, /* being answered: no deadline here */
    CONN_SENDING, /* the answer is being taken */
    CONN_STEPS
};

/* `max`: connections that are many for the server. Starts the thread that looks after them. */
SC_MUST_USE sc_err conns_new(size_t max, int64_t receive_ms, int64_t send_ms,
                             struct conns **ret_conns);
void conns_free(struct conns *conns); /* after the last conn_closed(); NULL is fine */

/* A connection was accepted, or will be closed: its socket is open in both calls. NULL when out of
 * memory; the others accept NULL. */
struct conn *conn_opened(struct conns *conns, int fd);
void conn_closed(struct conn *conn);
void conn_step(struct conn *conn, enum conn_step step);

size_t conns_count(struct conns *conns);
uint64_t conns_slow(struct conns *conns); /* ended for being slow, so far */

/* Waits until no answer is under way, at most so long. */
void conns_drain(struct conns *conns, int64_t limit_ms);

#endif
