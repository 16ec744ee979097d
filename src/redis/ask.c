#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "reply.h"
#include "resp.h"

enum { QUESTION_MAX = 1024, ANSWER_MAX = 1024 * 1024 };

static sc_err dial(const char *path, int *ret_fd)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(path) >= sizeof(to.sun_path))
        return SC_EINVAL;
    memcpy(to.sun_path, path, strlen(path));
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return SC_EIO;
    if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
        sc_err err = errno == EAGAIN ? SC_ETIMEDOUT : SC_ECONNECT; /* EAGAIN: its backlog is full */

        close(fd);
        return err;
    }
    *ret_fd = fd;
    return SC_OK;
}

static int64_t peer_of(int fd)
{
    struct ucred peer = {0};
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) ? 0 : peer.pid;
}

static sc_err write_question(int fd, const sc_slice *argv, size_t argc)
{
    char question[QUESTION_MAX];
    size_t len;
    sc_err err;

    err = sc__resp_command_size(argv, argc, sizeof(question), &len);
    if (err)
        return err;
    sc__resp_command_write(question, argv, argc);
    return send(fd, question, len, MSG_NOSIGNAL) == (ssize_t)len ? SC_OK : SC_ECONNLOST;
}

static sc_err read_more(int fd, sc__resp *in, int64_t deadline_ms)
{
    int64_t left_ms = deadline_ms - sc__mono_ms();
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    char *space;
    size_t len;
    ssize_t n;
    sc_err err;

    if (left_ms <= 0 || poll(&readable, 1, (int)left_ms) == 0)
        return SC_ETIMEDOUT;
    err = sc__resp_space(in, &space, &len);
    if (err)
        return err;
    n = recv(fd, space, len, 0);
    if (n < 0 && (errno == EINTR || errno == EAGAIN))
        return SC_OK;
    if (n <= 0)
        return SC_ECONNLOST;
    sc__resp_fed(in, (size_t)n);
    return SC_OK;
}

static sc_err read_answer(int fd, int64_t deadline_ms, sc_reply **ret_reply)
{
    const sc_reply *reply = NULL;
    bool is_push;
    sc__resp in;
    sc_err err;

    sc__resp_init(&in, ANSWER_MAX);
    err = sc__resp_next(&in, &reply, &is_push);
    while (!err && !reply) {
        err = read_more(fd, &in, deadline_ms);
        if (!err)
            err = sc__resp_next(&in, &reply, &is_push);
    }
    if (!err) {
        *ret_reply = sc__reply_dup(reply);
        err = *ret_reply ? SC_OK : SC_ENOMEM;
    }
    sc__resp_release(&in);
    return err;
}

sc_err sc__ask(const char *socket_path, const sc_slice *argv, size_t argc, int64_t timeout_ms,
               sc_reply **ret_reply, int64_t *ret_pid)
{
    int64_t deadline_ms = sc__mono_ms() + timeout_ms;
    int fd;
    sc_err err;

    err = dial(socket_path, &fd);
    if (err)
        return err;
    if (ret_pid)
        *ret_pid = peer_of(fd);
    err = write_question(fd, argv, argc);
    if (!err)
        err = read_answer(fd, deadline_ms, ret_reply);
    close(fd);
    return err;
}
