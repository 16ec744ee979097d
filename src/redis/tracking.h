/* A client whose server tells which of the keys that it has read have changed: RESP3's CLIENT TRACKING ON.
 *
 * What is told comes in order with the replies: when a reply is there, all that the server had changed before it
 * made that reply has been told. A key is told once, and again only if it was read again. Keys that the server
 * drops from its table (tracking-table-max-keys), that expire or are evicted, and those that the client itself has written, are
 * told as well. Read means any read-only command, in scripts too; a key that is not there counts.
 *
 * A server of RESP2, or a user who may not send CLIENT TRACKING, gives a client that works and is told nothing. */
#ifndef SC_REDIS_TRACKING_H
#define SC_REDIS_TRACKING_H

#include "client.h"

/* Who is told, on the I/O thread. Loss of the connection is told by a sc__client_watch: from then on nothing that was read
 * before is told of any more. */
typedef struct sc__tracking {
    void (*changed)(void *user, sc_slice key); /* borrowed for the call */
    void (*all_changed)(void *user);           /* FLUSHALL, FLUSHDB */
    void *user;
    /* NULL: of keys that were read. Else of all keys that begin so, whoever reads or not, each time that they change;
     * borrowed likewise. */
    const char *broadcast_prefix;
} sc__tracking;

/* A client of its own, with its own thread and connection, and with the options of `like`, which it does not need
 * afterwards. It says nothing in the log of a connection that is lost: `like` does, or its owner. `tracking` is borrowed until it
 * is freed. */
SC_MUST_USE sc_err sc__client_new_tracking(const sc_client *like, const sc__tracking *tracking,
                                           sc_client **ret_client, sc_reason *ret_reason);

/* Whether the connection that is there, or was there last, is told of changes. Any thread. */
bool sc__client_is_tracked(const sc_client *client);

/* The server's wall clock now, as its last TIME had it; our own wall clock while it has told none. Of a tracking client. Any
 * thread. */
int64_t sc__client_server_ms(const sc_client *client);

/* The same for a moment of our monotonic clock. */
int64_t sc__client_server_at(const sc_client *client, int64_t mono_ms);

/* A reply to TIME that was asked at `asked_ns` (mono). */
void sc__client_note_time(sc_client *client, const sc_reply *reply, int64_t asked_ns);

/* Tells what a push says; of other kinds nothing. */
void sc__tracking_hear(const sc__tracking *tracking, const sc_reply *push);

#endif
