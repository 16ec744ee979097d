/* The right to load: a lease, in the value's own key when it is missing, beside it when it is to be renewed. */
#ifndef SC_CACHE_RIGHT_H
#define SC_CACHE_RIGHT_H

#include "base/str.h"
#include "lead.h"

/* What a load begins with, and what must still stand when its value is stored. */
typedef struct sc__right {
    sc__lease lease;
    bool is_ours;
    int64_t birth;           /* the tag clock; 0: not known */
    char head[SC__HEAD_MAX]; /* of the old value, when it is renewed */
    size_t head_len;
    sc__str key; /* where the lease is, then */
    sc__tag_keys tags;
    bool was_answered; /* by what the key holds, when the lease was asked for last */
} sc__right;

/* The lease of a missing value, or none where none can be had. While another process has it, waits for what comes of that; then, or
 * before, l->look may have found something: a value, a failure. SC_ENOMEM; SC_EINVAL, SC_ETOOBIG for the definition's tags. */
SC_MUST_USE sc_err sc__right_win(sc__lead *l, sc__right *r);

/* Of an old value. Fails when another has it, or had it since the value was read. */
SC_MUST_USE sc_err sc__right_win_renewal(sc__lead *l, sc__right *r);

#endif
