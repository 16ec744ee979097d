/* Malformed queue data, written as any other client of the server could write it: by a seed, so that it can be had again. */
#ifndef TEST_SUPPORT_WILD_H
#define TEST_SUPPORT_WILD_H

#include "server.h"

struct wild {
    const struct test_server *server;
    char base[32]; /* of the queue's keys: "bull:q7:" */
    uint64_t state;
};

/* A number below `below`. */
size_t wild_below(struct wild *w, size_t below);

/* An id: mostly of one of the first jobs, sometimes one that nobody would think of. */
sc_slice wild_id(struct wild *w);

/* A text for any field of a hash. */
sc_slice wild_text(struct wild *w);

/* Spoils one thing in the queue. */
void wild_spoil(struct wild *w);

/* Takes away keys of the queue itself that hold something of a wrong type where jobs or settings should be, and settings that let no job
 * run: what an operator must do. What is worth nothing (events, marker, …) stays as it is. */
void wild_repair(struct wild *w);

#endif
