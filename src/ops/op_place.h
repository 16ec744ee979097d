/* Where a job stands in the long lists of a queue. The server finds a value in a list only by walking over it, for 15 ms in
 * a million entries; so the caller reads slices and tells the script where to look. */
#ifndef SC_OPS_OP_PLACE_H
#define SC_OPS_OP_PLACE_H

#include <storychain/client.h>

#include "keys.h"

typedef struct sc__place {
    sc_slice list;    /* "wait", "paused", "active"; "none": in none of them. Static */
    int64_t from_end; /* 1: the last entry. May be out by what was taken or added since */
} sc__place;

/* Looks through one list, or (`list` SC__QUEUE_KEY_COUNT) through wait, paused and active. Waits. */
SC_MUST_USE sc_err sc__op_find_place(sc_client *client, const sc__queue_keys *keys,
                                     sc__queue_key list, sc_slice id, sc__place *ret_place,
                                     sc_reason *ret_reason);

#endif
