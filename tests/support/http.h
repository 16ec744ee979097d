/* A small HTTP client of the tests' own: real bytes over a socket, well-formed or not. */
#ifndef TEST_SUPPORT_HTTP_H
#define TEST_SUPPORT_HTTP_H

#include <stddef.h>

struct test_answer {
    int status;      /* 0: closed without an answer */
    char head[8192]; /* status line and headers */
    char *body;      /* NUL-terminated; valid until the next call for this struct */
    size_t len;
};

/* One request on a connection of its own. `headers`: lines that end with \r\n, or NULL; `body` NULL: none. */
void test_http(const char *url, const char *method, const char *path, const char *headers,
               const char *body, struct test_answer *answer);

/* The bytes as they are, then what comes back until the server closes or has said all. */
void test_http_raw(const char *url, const void *bytes, size_t len, struct test_answer *answer);

/* A connected socket, for those who want to be slow. */
int test_http_dial(const char *url);
int test_http_try_dial(const char *url); /* -1 when nobody listens */

/* The value of a header, in a static buffer; NULL when absent. */
const char *test_header(const struct test_answer *answer, const char *name);

void test_answer_release(struct test_answer *answer);

#endif
