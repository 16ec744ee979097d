/* A real Redis (or Valkey) of a test's own, on a unix socket in the test's folder. SC_TEST_SERVER names the program. */
#ifndef TEST_SUPPORT_SERVER_H
#define TEST_SUPPORT_SERVER_H

#include <storychain/client.h>

struct test_server {
    int pid;
    char url[128];    /* unix:///…/redis.sock */
    char socket[108]; /* path */
    char folder[80];
};

/* Starts it and waits until it answers; fails the test if it doesn't. It ends with the test. */
void test_server_start(struct test_server *server);
void test_server_start_args(struct test_server *server,
                            const char *const *more_args);            /* NULL-terminated */
void test_server_kill(struct test_server *server, int signal_number); /* and waits for its end */
void test_server_restart(struct test_server *server);                 /* same folder and socket */

/* Whether it answers a PING, on a connection of its own; any thread. */
bool test_server_answers(const struct test_server *server);

/* A TCP port of this machine that nobody listens on, as text. */
void test_free_port(char out[8]);

/* The program, and what it is: "redis" or "valkey". */
const char *test_server_program(void);
const char *test_server_software(void);

/* A client connected to it, patient enough for a busy machine; fails the test if that is not possible. */
sc_client *test_server_client(const struct test_server *server);

/* One command from text, split at spaces ("HGET bull:q:1 data"); the reply as text: strings as they are, integers in decimal,
 * "(nil)", arrays as items joined with one space. Static buffer of 64 KiB. Opens its own connection, knows nothing of our client. */
const char *test_redis(const struct test_server *server, const char *command);

/* The same for words that hold any bytes. */
const char *test_redis_words(const struct test_server *server, const sc_slice *words, size_t count);

#endif
