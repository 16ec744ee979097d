/* How a cached value lies in Redis: an envelope, then the content.
 *
 *    0  3  FF 53 43 ("\xffSC"): no UTF-8 text and no JSON begins so
 *    3  1  version, 1
 *    4  1  kind: 'V' a value, 'N' "there is no such thing", 'E' an error of the loader, 'L' a lease
 *    5  1  flags: each bit is something that a reader must understand to read on
 *    6  2  length of the envelope
 *    8  8  when it was stored, ms since 1970
 *   16     fields: a byte that names it, a byte with its length, its bytes. A reader skips those it doesn't
 *          know. SC__ENVELOPE_NUMBERS has the numbers; a tag is its name
 *
 * Numbers are little-endian, those of fields as short as they can be. All times are the server's. Bytes that
 * don't begin with FF 53 43 are a value that another program stored without envelope. A lease stands in the
 * key of a value that is being loaded: 32 hex digits follow its 16 bytes, and whoever put them there may replace
 * them by the value. The old value, in its own envelope, may follow the digits. */
#ifndef SC_OPS_CACHE_ENVELOPE_H
#define SC_OPS_CACHE_ENVELOPE_H

#include <storychain/base.h>

/* The numbers of an envelope: member, name of the field. Absent when 0. */
#define SC__ENVELOPE_NUMBERS(X)                                                                    \
    X(expires_ms, 1) /* from then on it is not fresh */                                            \
    X(soft_ms, 2)    /* from then on it is to be loaded anew, while it is still given */           \
    X(grace_ms, 3)   /* until then it may be given for want of something better */                 \
    X(birth, 4)      /* the tag clock before its load began */                                     \
    X(load_us, 5)    /* how long its load took */                                                  \
    X(raw_size, 6)   /* with SC__ENVELOPE_ZSTD: the value's size */                                \
    X(key_id, 7)     /* with SC__ENVELOPE_SEALED: which key opens it */                            \
    X(schema, 10)    /* the shape of the value's bytes, as its definition numbers it */

enum { SC__FIELD_NONCE = 8, SC__FIELD_TAG = 9 };

enum {
    SC__ENVELOPE_LEN = 16, /* without fields */
    SC__LEASE_LEN = SC__ENVELOPE_LEN + 32,
    SC__ENVELOPE_MARK_LEN = 5,
    SC__TAGS_MAX = 16,
    SC__TAG_LEN_MAX = 255,
    SC__NONCE_LEN = 12,
    /* the longest without tags; the longest */
    SC__ENVELOPE_UNTAGGED_MAX = SC__ENVELOPE_LEN + 8 * (2 + 8) + 2 + SC__NONCE_LEN,
    SC__ENVELOPE_MAX = SC__ENVELOPE_UNTAGGED_MAX + SC__TAGS_MAX * (2 + SC__TAG_LEN_MAX)
};

/* flags */
enum { SC__ENVELOPE_ZSTD = 1, SC__ENVELOPE_SEALED = 2 };

typedef enum sc__envelope_kind {
    SC__ENVELOPE_VALUE,
    SC__ENVELOPE_NEGATIVE,  /* the loader found that there is no such thing; no content */
    SC__ENVELOPE_ERROR,     /* the loader failed; the content is a text about it */
    SC__ENVELOPE_LEASE,     /* being loaded */
    SC__ENVELOPE_UNREADABLE /* damaged, or written by a newer version */
} sc__envelope_kind;

typedef struct sc__envelope {
    sc__envelope_kind kind;
    unsigned flags;    /* how the content is coded */
    int64_t stored_ms; /* -1: not known, another program stored it */
#define X(member, field) int64_t member;
    SC__ENVELOPE_NUMBERS(X)
#undef X
    char nonce[SC__NONCE_LEN]; /* with SC__ENVELOPE_SEALED */
    size_t tag_count;
    sc_slice
        tags[SC__TAGS_MAX]; /* 1 to SC__TAG_LEN_MAX bytes each; read ones lie in what was read */
} sc__envelope;

/* Opens what a key holds. `*ret_content` lies in `stored`: a value (coded as the flags say), the text of an error, the old
 * value of a lease with its own envelope, or nothing. Both are set whatever is returned, which is the kind. A value may be cut
 * off behind its envelope. */
sc__envelope_kind sc__envelope_read(sc_slice stored, sc__envelope *ret_envelope,
                                    sc_slice *ret_content);

/* How long the envelope will be; at most SC__ENVELOPE_MAX. Of values, negatives and errors. */
size_t sc__envelope_size(const sc__envelope *envelope);

/* Writes sc__envelope_size() bytes. */
void sc__envelope_write(const sc__envelope *envelope, char *out);

/* A new lease, unlike any other. */
void sc__envelope_lease(char out[SC__LEASE_LEN], int64_t now_ms);

/* How every lease of this version begins. */
sc_slice sc__envelope_lease_mark(void);

#endif
