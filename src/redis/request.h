/* A command on its way: its bytes, its callback, its deadline. One allocation, kept until answered. */
#ifndef SC_REDIS_REQUEST_H
#define SC_REDIS_REQUEST_H

#include "client.h"

typedef struct sc__request {
    struct sc__request *next;
    sc_reply_cb cb; /* NULL: called already (timed out), or nobody listens */
    void *user;
    int64_t timeout_ms;
    int64_t deadline_ms;         /* mono; set when the I/O thread takes it */
    const sc_slice *script_text; /* to load on NOSCRIPT; NULL: none */
    uint64_t order;              /* place among what was written on this connection */
    uint8_t script_loads;        /* how often NOSCRIPT was answered */
    bool idempotent, sent_again, is_load;
    size_t len;
    char bytes[];
} sc__request;

/* First in, first out. */
typedef struct sc__requests {
    sc__request *first, *last;
} sc__requests;

/* `len` bytes as sc__resp_command_size() counted them. NULL without memory. */
SC_MUST_USE sc__request *sc__request_new(const sc_slice *argv, size_t argc, size_t len);

void sc__requests_put(sc__requests *list, sc__request *req);
sc__request *sc__requests_take(sc__requests *list);             /* NULL when empty */
void sc__requests_join(sc__requests *list, sc__requests *tail); /* `tail` is empty then */

#endif
