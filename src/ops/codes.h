/* What the scripts' negative numbers mean. BullMQ's numbers where it has them. docs/protocol.md shows this table. */
#ifndef SC_OPS_CODES_H
#define SC_OPS_CODES_H

#include <storychain/client.h>

#define SC_SCRIPT_CODES(X)                                                                         \
    X(-1, SC_ENOJOB, "there is no such job")                                                       \
    X(-2, SC_ELOCKLOST, "the lock of the job has expired")                                         \
    X(-3, SC_EJOBSTATE, "the job is not in that state")                                            \
    X(-4, SC_ECHILDREN, "the job has children that have not finished")                             \
    X(-5, SC_EPARENT, "the parent job does not exist")                                             \
    X(-6, SC_ELOCKLOST, "the lock of the job is held by another worker")                           \
    X(-7, SC_EPARENT, "the job has another parent already")                                        \
    X(-8, SC_ESCHEDULED, "the job belongs to a job scheduler")                                     \
    X(-9, SC_ECHILDREN, "the job has failed children")                                             \
    X(-10, SC_ESLOT, "the next run of the job scheduler exists already")                           \
    X(-11, SC_ESLOT, "all near slots of the job scheduler are taken")                              \
    X(-12, SC_ELAYOUT, "the id belongs to a repeatable job of BullMQ 5, to be migrated with it")   \
    X(-13, SC_ESTATE, "the queue is not paused")                                                   \
    X(-14, SC_EBUSY, "jobs of the queue are active")                                               \
    X(-15, SC_EINVAL, "two jobs of the flow have one id")                                          \
    X(-16, SC_EBUSY, "more jobs wait than can be looked through")                                  \
    X(-17, SC_EBUSY, "the job scheduler was changed meanwhile")                                    \
    X(-18, SC_ENOTFOUND, "there is no such job scheduler")

/* SC_OK for codes >= 0. Unknown negative ones are SC_EINTERNAL. */
SC_MUST_USE sc_err sc__code_err(int64_t code, sc_reason *ret_reason);

#endif
