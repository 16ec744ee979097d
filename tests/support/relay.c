#include "relay.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "test.h"

enum { LOOK_MS = 5, CHUNK_SIZE = 64 * 1024 };

struct relay_chunk {
    struct relay_chunk *next;
    int64_t due_ms; /* mono */
    size_t size;
    bool is_last; /* the connection ends behind it */
    char bytes[CHUNK_SIZE];
};

static int dial(const char *path)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    snprintf(to.sun_path, sizeof(to.sun_path), "%s", path);
    if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to))) {
        close(fd);
        return -1;
    }
    return fd;
}

static void accept_one(struct relay *relay)
{
    int client = accept4(relay->listener, NULL, NULL, SOCK_CLOEXEC), server;

    if (client < 0)
        return;
    server = dial(relay->to);
    for (size_t i = 0; server >= 0 && i < RELAY_PAIRS_MAX; i++)
        if (!relay->pairs[i].client) {
            relay->pairs[i].client = client;
            relay->pairs[i].server = server;
            relay->pairs[i].last = &relay->pairs[i].first;
            return;
        }
    close(client);
    if (server >= 0)
        close(server);
}

static bool send_all(int to, const char *bytes, size_t size)
{
    ssize_t more;

    for (size_t sent = 0; sent < size; sent += (size_t)more) {
        more = send(to, bytes + sent, size - sent, MSG_NOSIGNAL);
        if (more <= 0)
            return false;
    }
    return true;
}

/* False when one side is gone. */
static bool pass_on(int from, int to)
{
    char bytes[CHUNK_SIZE];
    ssize_t n = recv(from, bytes, sizeof(bytes), 0);

    return n > 0 && send_all(to, bytes, (size_t)n);
}

/* Is it here that the server's words break off? */
static void cut(struct relay *relay, struct relay_chunk *chunk)
{
    long left = atomic_load(&relay->cut_after);

    if (!left)
        return;
    if ((long)chunk->size < left) {
        atomic_store(&relay->cut_after, left - (long)chunk->size);
        return;
    }
    chunk->size = (size_t)left;
    chunk->is_last = true;
    atomic_store(&relay->cut_after, 0);
}

/* Takes what the server says, to be delivered later. False when it is gone. */
static bool hold_back(struct relay *relay, size_t i)
{
    struct relay_chunk *chunk = calloc(1, sizeof(*chunk));
    ssize_t n = chunk ? recv(relay->pairs[i].server, chunk->bytes, sizeof(chunk->bytes), 0) : 0;

    if (n <= 0) {
        free(chunk);
        return false;
    }
    chunk->size = (size_t)n;
    cut(relay, chunk);
    chunk->due_ms = sc__mono_ms() + atomic_load(&relay->delay_ms);
    *relay->pairs[i].last = chunk;
    relay->pairs[i].last = &chunk->next;
    return true;
}

static void drop_first(struct relay *relay, size_t i)
{
    struct relay_chunk *chunk = relay->pairs[i].first;

    relay->pairs[i].first = chunk->next;
    if (!chunk->next)
        relay->pairs[i].last = &relay->pairs[i].first;
    free(chunk);
}

/* False when the client is gone. */
static bool deliver(struct relay *relay, size_t i)
{
    while (relay->pairs[i].first && relay->pairs[i].first->due_ms <= sc__mono_ms()) {
        const struct relay_chunk *chunk = relay->pairs[i].first;

        if (!send_all(relay->pairs[i].client, chunk->bytes, chunk->size) || chunk->is_last)
            return false;
        drop_first(relay, i);
    }
    return true;
}

static void close_pair(struct relay *relay, size_t i)
{
    while (relay->pairs[i].first)
        drop_first(relay, i);
    close(relay->pairs[i].client);
    close(relay->pairs[i].server);
    relay->pairs[i].client = relay->pairs[i].server = 0;
}

static void serve_pair(struct relay *relay, size_t i)
{
    const int client = relay->pairs[i].client, server = relay->pairs[i].server;
    struct pollfd fds[] = {{.fd = client, .events = POLLIN}, {.fd = server, .events = POLLIN}};

    if (!client || poll(fds, 2, 0) < 0)
        return;
    if ((fds[0].revents && !pass_on(client, server)) || (fds[1].revents && !hold_back(relay, i)) ||
        !deliver(relay, i))
        close_pair(relay, i);
}

/* Waits for anything to read, but not for long: the test may change its mind. */
static void wait_for_bytes(struct relay *relay)
{
    struct pollfd fds[1 + 2 * RELAY_PAIRS_MAX] = {{.fd = relay->listener, .events = POLLIN}};
    nfds_t n = 1;

    for (size_t i = 0; i < RELAY_PAIRS_MAX; i++)
        if (relay->pairs[i].client) {
            fds[n++] = (struct pollfd){.fd = relay->pairs[i].client, .events = POLLIN};
            fds[n++] = (struct pollfd){.fd = relay->pairs[i].server, .events = POLLIN};
        }
    poll(fds, n, LOOK_MS);
    if (fds[0].revents && !atomic_load(&relay->silent))
        accept_one(relay);
}

static void *run(void *arg)
{
    struct relay *relay = arg;

    while (!atomic_load(&relay->stopping)) {
        if (atomic_load(&relay->silent)) {
            poll(NULL, 0, LOOK_MS);
            continue;
        }
        wait_for_bytes(relay);
        for (size_t i = 0; i < RELAY_PAIRS_MAX; i++)
            serve_pair(relay, i);
    }
    return NULL;
}

void relay_start(struct relay *relay, const struct test_server *server)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};

    *relay = (struct relay){0};
    snprintf(relay->to, sizeof(relay->to), "%s", server->socket);
    snprintf(at.sun_path, sizeof(at.sun_path), "%s/relay.sock", server->folder);
    snprintf(relay->url, sizeof(relay->url), "unix://%s", at.sun_path);
    relay->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(relay->listener, (struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(relay->listener, 16), 0);
    assert_int_equal(pthread_create(&relay->thread, NULL, run, relay), 0);
}

void relay_stop(struct relay *relay)
{
    atomic_store(&relay->stopping, true);
    pthread_join(relay->thread, NULL);
    for (size_t i = 0; i < RELAY_PAIRS_MAX; i++)
        if (relay->pairs[i].client)
            close_pair(relay, i);
    close(relay->listener);
}

void relay_silence(struct relay *relay, bool silent)
{
    atomic_store(&relay->silent, silent);
}

void relay_delay(struct relay *relay, int ms)
{
    atomic_store(&relay->delay_ms, ms);
}

void relay_cut(struct relay *relay, long after_bytes)
{
    atomic_store(&relay->cut_after, after_bytes);
}
