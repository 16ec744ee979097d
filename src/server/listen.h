/* The socket that a server listens on. */
#ifndef SERVER_LISTEN_H
#define SERVER_LISTEN_H

#include <storychain/base.h>

enum { LISTEN_URL = 96 };

/* Opens a listening socket at "host:port" (NULL: "127.0.0.1:8080"); `ret_url` gets where it is, with
 * the port that port 0 became. Loopback addresses only, unless `allow_remote`. SC_EINVAL, SC_EPERM,
 * SC_EBUSY (port in use), SC_EIO; the reason names the address and says what to do. */
SC_MUST_USE sc_err listen_open(const char *address, bool allow_remote, int *ret_fd,
                               char ret_url[LISTEN_URL], sc_reason *ret_reason);

/* Where a listening socket is. */
void listen_url(int fd, char ret_url[LISTEN_URL]);

#endif
