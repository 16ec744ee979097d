/* A relay between clients and a test's server, on a unix socket of its own, that can fall silent without closing anything: what is sent
 * then arrives when it speaks again. Or whose answers take their time, or break off. */
#ifndef TEST_SUPPORT_RELAY_H
#define TEST_SUPPORT_RELAY_H

#include <pthread.h>
#include <stdatomic.h>

#include "server.h"

enum { RELAY_PAIRS_MAX = 64 };

struct relay_chunk;

struct relay {
    char url[160]; /* unix:///… */
    char to[108];  /* the server's socket */
    int listener;
    atomic_bool silent, stopping;
    atomic_int delay_ms;   /* of what the server says */
    atomic_long cut_after; /* so many bytes more of it, then a connection is closed; 0: not */
    pthread_t thread;
    struct {
        int client, server;                /* 0: a free place */
        struct relay_chunk *first, **last; /* on their way to the client */
    } pairs[RELAY_PAIRS_MAX];
};

void relay_start(struct relay *relay, const struct test_server *server);
void relay_stop(struct relay *relay);

void relay_silence(struct relay *relay, bool silent);
void relay_delay(struct relay *relay, int ms);

/* One connection is closed when so many bytes more came from the server, at least 1, on whichever: in the middle of an answer. */
void relay_cut(struct relay *relay, long after_bytes);

#endif
