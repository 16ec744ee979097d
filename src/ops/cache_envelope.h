/* How a cached value lies in Redis: an envelope of 16 bytes, then the value's own bytes.
 *
 *   0  3  FF 53 43 ("\xffSC"): no UTF-8 text and no JSON begins so
 *   3  1  version, 1
 *   4  1  kind: 'V' a value, 'L' a lease
 *   5  1  flags, 0: each bit is something that a reader must understand to read on
 *   6  2  length of the envelope; a reader skips what it doesn't know behind byte 16
 *   8  8  when it was stored, ms since 1970
 *
 * Numbers are little-endian. Bytes that don't begin with FF 53 43 are a value that another program
 * stored without envelope. A lease stands in the key of a value that is being loaded: 32 hex digits follow
 * its envelope, and whoever put them there may replace them by the value. */
#ifndef SC_OPS_CACHE_ENVELOPE_H
#define SC_OPS_CACHE_ENVELOPE_H

#include <storychain/base.h>

enum { SC__ENVELOPE_LEN = 16, SC__LEASE_LEN = SC__ENVELOPE_LEN + 32, SC__ENVELOPE_MARK_LEN = 5 };

typedef enum sc__envelope_kind {
    SC__ENVELOPE_VALUE,
    SC__ENVELOPE_LEASE,
    SC__ENVELOPE_UNREADABLE /* damaged, or written by a newer version */
} sc__envelope_kind;

/* Opens what a key holds. `*ret_value`: the value's bytes, inside `stored`; `*ret_stored_ms`: -1 when not
 * known. Both are set for values only. */
sc__envelope_kind sc__envelope_read(sc_slice stored, sc_slice *ret_value, int64_t *ret_stored_ms);

/* The envelope of a value, stored now. */
void sc__envelope_write(char out[SC__ENVELOPE_LEN], int64_t now_ms);

/* A new lease, unlike any other. */
void sc__envelope_lease(char out[SC__LEASE_LEN], int64_t now_ms);

/* How every lease of this version begins. */
sc_slice sc__envelope_lease_mark(void);

#endif
