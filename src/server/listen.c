#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"
#include "base/str.h"

enum { BACKLOG = 1024, HOST_MAX = 256, PORT_MAX = 8 };

/* "host:port", "[v6]:port". */
static bool split(const char *address, char host[HOST_MAX], char port[PORT_MAX])
{
    const char *colon = strrchr(address, ':');
    size_t len = colon ? (size_t)(colon - address) : 0;
    int64_t number;

    if (len >= 2 && address[0] == '[' && colon[-1] == ']') {
        address++;
        len -= 2;
    } else if (len && memchr(address, ':', len))
        return false;
    if (!len || len >= HOST_MAX || !sc__int_parse(sc_slice_of(colon + 1), &number) || number < 0 ||
        number > 65535)
        return false;
    memcpy(host, address, len);
    host[len] = '\0';
    snprintf(port, PORT_MAX, "%d", (int)number);
    return true;
}

static bool is_loopback(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)addr)->sin_addr.s_addr) >> 24 ==
               127;
    return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)addr)->sin6_addr);
}

static sc_err bind_failed(const char *address, int error, sc_reason *ret_reason)
{
    if (error == EADDRINUSE)
        return sc__because(ret_reason, SC_EBUSY,
                           "%s is in use by another program: stop that one, or listen elsewhere "
                           "with --listen HOST:PORT (port 0 takes a free one)",
                           address);
    if (error == EACCES)
        return sc__because(ret_reason, SC_EIO,
                           "%s may not be used by this user: ports below 1024 need root or "
                           "CAP_NET_BIND_SERVICE; choose a higher one with --listen",
                           address);
    if (error == EADDRNOTAVAIL)
        return sc__because(ret_reason, SC_EINVAL,
                           "%s is not an address of this machine: choose one with --listen",
                           address);
    return sc__because(ret_reason, SC_EIO, "can't listen on %s: %s", address, strerror(error));
}

void listen_url(int fd, char url[LISTEN_URL])
{
    struct sockaddr_storage own = {0};
    socklen_t len = sizeof(own);
    char host[INET6_ADDRSTRLEN + 16] = "", port[PORT_MAX] = "";

    getsockname(fd, (struct sockaddr *)&own, &len);
    getnameinfo((struct sockaddr *)&own, len, host, sizeof(host), port, sizeof(port),
                NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(url, LISTEN_URL, own.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host,
             port);
}

static sc_err open_socket(const struct addrinfo *at, const char *address, int *ret_fd,
                          sc_reason *ret_reason)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, error;

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
        if (!bind(fd, at->ai_addr, at->ai_addrlen) && !listen(fd, BACKLOG)) {
            *ret_fd = fd;
            return SC_OK;
        }
    }
    error = errno;
    if (fd >= 0)
        close(fd);
    return bind_failed(address, error, ret_reason);
}

sc_err listen_open(const char *address, bool allow_remote, int *ret_fd, char ret_url[LISTEN_URL],
                   sc_reason *ret_reason)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    char host[HOST_MAX], port[PORT_MAX];
    struct addrinfo *found = NULL;
    sc_err err;

    address = address ? address : "127.0.0.1:8080";
    if (!split(address, host, port))
        return sc__because(ret_reason, SC_EINVAL,
                           "\"%s\" is not an address to listen on: write HOST:PORT, such as "
                           "127.0.0.1:8080 or [::1]:8080",
                           address);
    if (getaddrinfo(host, port, &hints, &found) || !found)
        return sc__because(ret_reason, SC_EINVAL,
                           "can't listen on %s: the host is not known here; write an address of "
                           "this machine",
                           address);
    if (!allow_remote && !is_loopback(found->ai_addr))
        err = sc__because(ret_reason, SC_EPERM,
                          "%s can be reached by other machines, and whoever reaches it may steer "
                          "the queues: listen on 127.0.0.1, or say --allow-remote as well",
                          address);
    else
        err = open_socket(found, address, ret_fd, ret_reason);
    freeaddrinfo(found);
    if (!err)
        listen_url(*ret_fd, ret_url);
    return err;
}
