/* A server's address: redis://, rediss://, unix://; or who knows it: redis+sentinel://, rediss+sentinel://. */
#ifndef SC_REDIS_URL_H
#define SC_REDIS_URL_H

#include <storychain/base.h>

typedef struct sc__url {
    bool tls;
    char *path; /* of a unix socket; NULL: TCP */
    char *host; /* without the brackets of IPv6; NULL for a unix socket */
    int port;
    char *user, *password; /* NULL: none */
    int db;
    char *shown; /* for people and logs: without user and password */

    /* Of sentinels: host and port are unknown (NULL) until one of them tells. */
    char *master; /* its name among them; NULL: no sentinels */
    struct sc__url *sentinels;
    size_t sentinel_count;
} sc__url;

/* SC_EINVAL with a reason that never holds the password. */
SC_MUST_USE sc_err sc__url_parse(const char *text, sc__url *ret_url, sc_reason *ret_reason);
void sc__url_release(sc__url *url);

#endif
