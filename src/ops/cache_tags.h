/* Tags of cached values: their keys, what lies there, and what it says about a value.
 *
 * The tag clock is a number that moves on with each delete or expiry of tags. A value keeps its birth: the
 * clock as it was before the value's load began. A tag's key holds the clock of its last delete and of its last expiry.
 * So deleting a million values is one write, and reading one compares numbers. A tag whose key is lost counts as deleted. */
#ifndef SC_OPS_CACHE_TAGS_H
#define SC_OPS_CACHE_TAGS_H

#include "base/str.h"
#include "cache_envelope.h"

/* Between the prefix and the name in a tag's key. */
#define SC__TAG_WORD "tag:"

enum {
    SC__TAG_WORD_LEN = 4,
    SC__CACHE_PREFIX_MAX = 64,
    SC__TAG_KEY_MAX = SC__CACHE_PREFIX_MAX + SC__TAG_WORD_LEN + SC__TAG_LEN_MAX,
};

/* The keys of some tags, each once, and of the clock. */
typedef struct sc__tag_keys {
    sc_slice clock;
    size_t count;
    sc_slice tags[SC__TAGS_MAX]; /* names, inside their keys */
    sc_slice keys[SC__TAGS_MAX];
    char clock_text[SC__CACHE_PREFIX_MAX + 5];
    char text[SC__TAGS_MAX][SC__TAG_KEY_MAX];
} sc__tag_keys;

/* None yet. `prefix`: at most SC__CACHE_PREFIX_MAX bytes, before all keys of ours. */
void sc__tag_keys_init(sc__tag_keys *keys, sc_slice prefix);

void sc__tag_keys_copy(sc__tag_keys *copy, const sc__tag_keys *keys);

/* A copy; free with sc_free. NULL without memory. */
SC_MUST_USE sc__tag_keys *sc__tag_keys_dup(const sc__tag_keys *keys);

/* SC_EINVAL: an empty tag, or too long. SC_ETOOBIG: too many. One that is in already is fine. */
SC_MUST_USE sc_err sc__tag_keys_add(sc__tag_keys *keys, sc_slice tag);

bool sc__tag_keys_have(const sc__tag_keys *keys, sc_slice tag);

/* Where the lease lies of who loads the value of `key` anew while it is given. Look at `out->err`. */
void sc__renewal_key(sc__str *out, sc_slice prefix, sc_slice key);

/* What a tag's key holds. Zeroed: it is lost. */
typedef struct sc__tag_version {
    int64_t deleted, expired; /* the clock then; `deleted` is never 0 where the key is there */
} sc__tag_version;

/* The content of a tag's key; an empty slice is a lost one, and so is nonsense. */
sc__tag_version sc__tag_version_read(sc_slice content);

typedef enum sc__tag_word { SC__TAG_KEEPS, SC__TAG_EXPIRES, SC__TAG_DELETES } sc__tag_word;

/* What a tag says about a value of this birth (0: not known). */
static inline sc__tag_word sc__tag_says(sc__tag_version version, int64_t birth)
{
    if (!version.deleted || version.deleted > birth)
        return SC__TAG_DELETES;
    return version.expired > birth ? SC__TAG_EXPIRES : SC__TAG_KEEPS;
}

#endif
