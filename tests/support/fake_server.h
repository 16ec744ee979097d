/* A server that says what the test wants: one function serves its connections, one after another, on a
 * thread of its own. */
#ifndef TEST_SUPPORT_FAKE_SERVER_H
#define TEST_SUPPORT_FAKE_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct fake_conn {
    int fd;
    int number; /* 0: the first connection */
    char in[16 * 1024];
    size_t len;
    char command[16 * 1024];
};

typedef void (*fake_serve)(struct fake_conn *conn, void *user);

struct fake_server {
    char url[160]; /* unix:///… */
    int listener;
    fake_serve serve;
    void *user;
    pthread_t thread;
    atomic_int connections; /* so far */
};

/* `serve` returns to close the connection. */
void fake_server_start(struct fake_server *server, fake_serve serve, void *user);
void fake_server_stop(struct fake_server *server); /* waits for the connection under way to end */

/* The next command as words with spaces between ("HELLO 3"), or NULL when the client closed. */
const char *fake_read(struct fake_conn *conn);

/* False when the client is gone. */
bool fake_say(struct fake_conn *conn, const char *text);
bool fake_say_bytes(struct fake_conn *conn, const char *bytes, size_t len);

/* Reads HELLO and answers as Redis 7 does. False when the client is gone. */
bool fake_hello(struct fake_conn *conn);

/* Waits until the client closes. */
void fake_wait_end(struct fake_conn *conn);

#endif
