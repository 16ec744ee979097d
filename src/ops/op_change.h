/* Changing one job in its queue: data, due date, priority, log. All of these wait; SC_EDEADLK on the I/O thread. */
#ifndef SC_OPS_OP_CHANGE_H
#define SC_OPS_OP_CHANGE_H

#include <storychain/control.h>

#include "keys.h"

/* `json` is stored as it is. SC_ENOJOB. */
SC_MUST_USE sc_err sc__op_update_data(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                      sc_slice json, sc_reason *ret_reason);

/* SC_ENOJOB, SC_EJOBSTATE. */
SC_MUST_USE sc_err sc__op_change_delay(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                       int64_t delay_ms, sc_reason *ret_reason);

/* SC_ENOJOB. */
SC_MUST_USE sc_err sc__op_change_priority(sc_client *client, const sc__queue_keys *keys,
                                          sc_slice id, int64_t priority, bool lifo,
                                          sc_reason *ret_reason);

/* Keeps the newest `keep` rows; 0: none. */
SC_MUST_USE sc_err sc__op_clear_logs(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                                     int64_t keep, sc_reason *ret_reason);

SC_MUST_USE sc_err sc__op_dependency_counts(sc_client *client, const sc__queue_keys *keys,
                                            sc_slice id, sc_dependency_counts *ret_counts,
                                            sc_reason *ret_reason);

#endif
