#include "http.h"

#include "test.h"

#include <arpa/inet.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ANSWER_BYTES_MAX = 64 * 1024 * 1024, PATIENCE_MS = 20000 };

int test_http_try_dial(const char *url)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), port = 0;
    char host[64] = "";

    assert_int_equal(sscanf(url, "http://%63[^:]:%d", host, &port), 2);
    to.sin_port = htons((unsigned short)port);
    assert_int_equal(inet_pton(AF_INET, host, &to.sin_addr), 1);
    assert_true(fd >= 0);
    if (!connect(fd, (struct sockaddr *)&to, sizeof(to)))
        return fd;
    close(fd);
    return -1;
}

int test_http_dial(const char *url)
{
    int fd = test_http_try_dial(url);

    assert_true(fd >= 0);
    return fd;
}

static void send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return; /* the server closed early: what it said is read all the same */
        bytes += n;
        len -= (size_t)n;
    }
}

static size_t read_all(int fd, char **ret_bytes)
{
    size_t len = 0, cap = 64 * 1024;
    char *bytes = malloc(cap);
    struct pollfd p = {.fd = fd, .events = POLLIN};
    ssize_t n;

    assert_non_null(bytes);
    while (len < ANSWER_BYTES_MAX && poll(&p, 1, PATIENCE_MS) == 1 &&
           (n = recv(fd, bytes + len, cap - len - 1, 0)) > 0) {
        len += (size_t)n;
        if (cap - len < 4096)
            bytes = realloc(bytes, cap *= 2);
        assert_non_null(bytes);
    }
    bytes[len] = '\0';
    *ret_bytes = bytes;
    return len;
}

static void parse(char *bytes, size_t len, struct test_answer *answer)
{
    char *end = strstr(bytes, "\r\n\r\n");
    size_t head_len = end ? (size_t)(end - bytes) + 2 : 0;

    if (!end || head_len >= sizeof(answer->head)) {
        free(bytes);
        return;
    }
    memcpy(answer->head, bytes, head_len);
    sscanf(answer->head, "HTTP/1.%*d %d", &answer->status);
    answer->len = len - head_len - 2;
    memmove(bytes, end + 4, answer->len + 1);
    answer->body = bytes;
}

void test_answer_release(struct test_answer *answer)
{
    free(answer->body);
    memset(answer, 0, sizeof(*answer));
}

void test_http_raw(const char *url, const void *bytes, size_t len, struct test_answer *answer)
{
    int fd = test_http_dial(url);
    char *got;
    size_t got_len;

    test_answer_release(answer);
    send_all(fd, bytes, len);
    got_len = read_all(fd, &got);
    close(fd);
    parse(got, got_len, answer);
}

void test_http(const char *url, const char *method, const char *path, const char *headers,
               const char *body, struct test_answer *answer)
{
    size_t body_len = body ? strlen(body) : 0, len;
    char *bytes = malloc(body_len + 8192), length[48] = "";

    assert_non_null(bytes);
    if (body)
        snprintf(length, sizeof(length), "Content-Length: %zu\r\n", body_len);
    len = (size_t)snprintf(bytes, 8192,
                           "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s\r\n",
                           method, path, length, headers ? headers : "");
    assert_true(len < 8192);
    memcpy(bytes + len, body ? body : "", body_len);
    test_http_raw(url, bytes, len + body_len, answer);
    free(bytes);
}

const char *test_header(const struct test_answer *answer, const char *name)
{
    static char value[1024];
    size_t len = strlen(name);

    for (const char *line = strstr(answer->head, "\r\n"); line; line = strstr(line, "\r\n")) {
        line += 2;
        if (strncasecmp(line, name, len) == 0 && line[len] == ':') {
            const char *text = line + len + 1 + strspn(line + len + 1, " ");

            snprintf(value, sizeof(value), "%.*s", (int)strcspn(text, "\r"), text);
            return value;
        }
    }
    return NULL;
}
