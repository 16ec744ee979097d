/* A parent's children, read a page at a time. All of these wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_CHILDREN_H
#define SC_OPS_OP_CHILDREN_H

#include <storychain/client.h>
#include <storychain/job.h>

#include "keys.h"

/* About `count` (1 to SC__CHILDREN_PAGE_MAX) children from `from` on (0: the first). A parent that is not there has none. */
#define SC__CHILDREN_PAGE_MAX 1000

SC_MUST_USE sc_err sc__op_get_children(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                       sc_child_kind kind, uint64_t from, int64_t count,
                                       sc_child_list **ret_list, sc_reason *ret_reason);

/* What a job that would wait for its children would meet: is one pending (the one with that key; empty: any), has one failed that
 * it fails with? */
SC_MUST_USE sc_err sc__op_look_at_children(sc_client *client, const sc__queue_keys *keys,
                                           sc_slice id, sc_slice child_key, bool *ret_pending,
                                           bool *ret_failed, sc_reason *ret_reason);

/* All of a kind, each once, by their keys. SC_ETOOBIG over 1,000,000, or 256 MiB. */
SC_MUST_USE sc_err sc__op_get_all_children(sc_client *client, const sc__queue_keys *keys,
                                           sc_slice id, sc_child_kind kind,
                                           sc_child_list **ret_list, sc_reason *ret_reason);

#endif
