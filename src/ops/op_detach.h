/* Taking children away from their parent. These wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_DETACH_H
#define SC_OPS_OP_DETACH_H

#include <storychain/client.h>

#include "keys.h"

/* A job is nobody's child any more; `*ret_removed` is false when its parent does not wait for it. SC_ENOJOB, SC_EPARENT. */
SC_MUST_USE sc_err sc__op_remove_child_dependency(sc_client *client, const sc__queue_keys *keys,
                                                  sc_slice id, bool *ret_removed,
                                                  sc_reason *ret_reason);

/* In slices. No job, or one without children, is no error. */
SC_MUST_USE sc_err sc__op_remove_unprocessed_children(sc_client *client, const sc__queue_keys *keys,
                                                      sc_slice id, sc_reason *ret_reason);

#endif
