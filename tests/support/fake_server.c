#include "fake_server.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "test.h"

static void *serve_all(void *arg)
{
    struct fake_server *server = arg;
    struct fake_conn *conn = malloc(sizeof(*conn));

    for (;;) {
        int fd = accept(server->listener, NULL, NULL);

        if (fd < 0 || !conn)
            break;
        conn->fd = fd;
        conn->len = 0;
        conn->number = server->connections++;
        server->serve(conn, server->user);
        close(fd);
    }
    free(conn);
    return NULL;
}

void fake_server_start(struct fake_server *server, fake_serve serve, void *user)
{
    static int count;
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    snprintf(at.sun_path, sizeof(at.sun_path), "%s/fake%d.sock", test_folder(), count++);
    snprintf(server->url, sizeof(server->url), "unix://%s", at.sun_path);
    server->serve = serve;
    server->user = user;
    server->connections = 0;
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(server->listener, 16), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, serve_all, server), 0);
}

void fake_server_stop(struct fake_server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
}

/* One command's words, if all of it is there: the bytes it took, or 0. */
static size_t parse(struct fake_conn *conn)
{
    const char *at = conn->in, *end = conn->in + conn->len;
    long argc = strtol(at + 1, NULL, 10);
    size_t out = 0;

    at = memchr(at, '\n', conn->len);
    if (!at++)
        return 0;
    for (long i = 0; i < argc; i++) {
        long len = at < end ? strtol(at + 1, NULL, 10) : 0;

        at = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (!at++ || end - at < len + 2)
            return 0;
        if (i)
            conn->command[out++] = ' ';
        memcpy(conn->command + out, at, (size_t)len);
        out += (size_t)len;
        at += len + 2;
    }
    conn->command[out] = '\0';
    return (size_t)(at - conn->in);
}

const char *fake_read(struct fake_conn *conn)
{
    for (;;) {
        size_t used = conn->len ? parse(conn) : 0;
        ssize_t n;

        if (used) {
            conn->len -= used;
            memmove(conn->in, conn->in + used, conn->len);
            conn->in[conn->len] = '\0';
            return conn->command;
        }
        n = read(conn->fd, conn->in + conn->len, sizeof(conn->in) - 1 - conn->len);
        if (n <= 0)
            return NULL;
        conn->len += (size_t)n;
        conn->in[conn->len] = '\0';
    }
}

bool fake_say_bytes(struct fake_conn *conn, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = send(conn->fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        bytes += n;
        len -= (size_t)n;
    }
    return true;
}

bool fake_say(struct fake_conn *conn, const char *text)
{
    return fake_say_bytes(conn, text, strlen(text));
}

bool fake_hello(struct fake_conn *conn)
{
    return fake_read(conn) &&
           fake_say(conn, "%3\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n"
                          "$6\r\n7.0.15\r\n$5\r\nproto\r\n:3\r\n");
}

void fake_wait_end(struct fake_conn *conn)
{
    char rest[1024];

    while (read(conn->fd, rest, sizeof(rest)) > 0)
        ;
}
