/* What the calls of job schedulers have in common: lua/includes/schedulerKeys, and how a rule is read. */
#ifndef SC_OPS_SCHEDULER_KEYS_H
#define SC_OPS_SCHEDULER_KEYS_H

#include <storychain/scheduler.h>

#include "base/arena.h"
#include "keys.h"
#include "script.h"

#define SC__SCHEDULER_KEYS 10

void sc__scheduler_keys(const sc__queue_keys *keys, sc_slice out[SC__SCHEDULER_KEYS]);

/* The first three arguments: base, id, and the id as it stands in JSON. */
void sc__scheduler_args(sc__args *args, const sc__queue_keys *keys, sc_slice id);

/* The latter two. */
void sc__scheduler_id_args(sc__args *args, sc_slice id);

/* A positive number; an empty text for others. */
void sc__scheduler_number(sc__args *args, int64_t number);

/* Appends names and values of a rule's fields that are not always there. */
void sc__scheduler_rule_fields(sc__args *args, const sc_repeat *repeat);

/* Calls a script of schedulers, and waits. A negative reply is an error. */
SC_MUST_USE sc_err sc__scheduler_call(sc_client *client, const sc__queue_keys *keys,
                                      const sc__script *script, const sc__args *args,
                                      sc_reply **ret_reply, sc_reason *ret_reason);

/* Reads three items: id, score, hash. Texts are copied into the arena, absent ones are empty. */
SC_MUST_USE sc_err sc__scheduler_info_read(const sc_reply *items, sc__arena *arena,
                                           sc_scheduler_info *ret_info);

/* The same for a rule without its name and data, whose fields the script was told by sc__scheduler_field_args: id, score, values. */
SC_MUST_USE sc_err sc__scheduler_rule_read(const sc_reply *items, sc__arena *arena,
                                           sc_scheduler_info *ret_info);
void sc__scheduler_field_args(sc__args *args);

#endif
