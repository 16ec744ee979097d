/* Values held in this process, the cache's first tier (L1): found without a lock, bounded, the least useful leave.
 *
 * A value's life:
 *
 *     put -> listed -> unlinked (replaced, deleted, expired, evicted) -> freed, once no reader can see it
 *
 * Readers look between enter and leave. They take no lock and no memory; what they found stays as it is until
 * they leave, or for as long as they pin it. Writers share a mutex that is never held for long.
 *
 * Which values leave is S3-FIFO's choice (near_queues.h). Times are those of the owner's clock, whichever it is:
 * `now_ms` comes from him. Expired values are not given; sc__near_sweep() frees them.
 *
 * Tags: a value carries the tags it depends on, and its birth: what the tag clock said before its load began. A tag
 * knows the clock of its last deletion and of its last expiry. A value is dead when a tag was deleted after its
 * birth, stale when one was expired. A tag may be unknown: its owner has to ask for it (tag_set) first. */
#ifndef SC_CACHE_NEAR_H
#define SC_CACHE_NEAR_H

#include <storychain/base.h>

#include "near_entry.h"
#include "near_readers.h"

typedef struct sc__near sc__near;

enum { SC__NEAR_TAGS_MAX = 16, SC__NEAR_BYTES_MIN = 16 * 1024 };

typedef struct sc__near_opts {
    size_t
        max_bytes; /* of all it holds, its own tables too; 0: no such bound; raised to SC__NEAR_BYTES_MIN */
    size_t max_entries; /* 0: no such bound. One of the two must be there */
    bool
        keeps_tags; /* no server has the tags: the clock and the tags' versions are here (tag_bump) */
    int64_t now_ms;
} sc__near_opts;

/* SC_EINVAL without a bound, SC_ENOMEM. */
SC_MUST_USE sc_err sc__near_new(const sc__near_opts *opts, sc__near **ret_near);

/* No call may be under way; pinned values stay valid. NULL is fine. */
void sc__near_free(sc__near *near);

/* Reading. Between enter and leave nothing may wait: what is unlinked meanwhile can't be freed, and when that
 * grows to 8 MiB and a quarter of what is held, puts are refused. Sections nest. */
sc__near_section sc__near_enter(sc__near *near);

/* `was_hit` is counted. */
void sc__near_leave(sc__near_section *section, bool was_hit);

typedef enum sc__near_state {
    SC__NEAR_MISS,
    SC__NEAR_FRESH,
    SC__NEAR_STALE, /* past its soft expiry, or a tag was expired */
    SC__NEAR_UNKNOWN /* a tag's versions are not known: ask for those of unknown_tags(), then look again */
} sc__near_state;

/* Inside a section. `*ret_entry` is set unless it's a miss, and valid until leave. A find counts as a use of the
 * value. */
sc__near_state sc__near_find(sc__near *near, sc_slice key, int64_t now_ms,
                             const sc__near_entry **ret_entry);

/* Inside a section: whether anything is held at the key, whatever its state. Counts as no use. */
bool sc__near_has(const sc__near *near, sc_slice key);

/* Inside a section: the names of an entry's unknown tags; they are valid until leave. */
size_t sc__near_unknown_tags(const sc__near_entry *entry, sc_slice ret_names[SC__NEAR_TAGS_MAX]);

/* Inside a section: the names of all of an entry's tags; likewise. */
size_t sc__near_tag_names(const sc__near_entry *entry, sc_slice ret_names[SC__NEAR_TAGS_MAX]);

/* Inside a section: whether a tag was expired after the entry's birth. */
bool sc__near_is_tag_expired(const sc__near_entry *entry);

/* Inside a section that found the entry: keeps it beyond that, and beyond the cache's end, until unpin of what it returns, which has its lowest bit
 * set. Its bytes are then not counted any more once it is unlinked. */
SC_MUST_USE void *sc__near_pin(sc__near *near, const sc__near_section *section,
                               const sc__near_entry *entry);
void sc__near_unpin(const void *pin);

/* A value to hold. All is copied. */
typedef struct sc__near_item {
    sc_slice key, value;
    int64_t expires_ms;   /* not given from then on; INT64_MAX: never */
    int64_t soft_ms;      /* stale from then on; INT64_MAX: never */
    int64_t stored_ms;    /* -1: not known */
    uint64_t birth;       /* the tag clock before its load began */
    const sc_slice *tags; /* up to SC__NEAR_TAGS_MAX */
    size_t tag_count;
    int64_t load_us;     /* that its load took: it is kept the longer for it; 0: not known */
    uint8_t kind, flags; /* the owner's own, and so is this: */
    int64_t stale_ms;
} sc__near_item;

/* Holds a value, instead of the one before. On an error the one before is gone all the same:
 * SC_ETOOBIG (more than the whole bound, or too many tags), SC_ENOMEM, SC_ESTATE (a tag was deleted after
 * its birth), SC_EBUSY (readers stay in their sections). */
SC_MUST_USE sc_err sc__near_put(sc__near *near, const sc__near_item *item);

/* Whether a put would be refused with SC_EBUSY now. */
bool sc__near_is_busy(sc__near *near);

/* No later find gives the value. True when there was one. */
bool sc__near_del(sc__near *near, sc_slice key);

/* No later find gives any of the values. Takes the same short time for any number of them; their memory is
 * freed by puts and sweeps. */
void sc__near_clear(sc__near *near);

/* What a tag's versions are now; they may be known or not. Without an entry that has the tag nothing happens. */
void sc__near_tag_set(sc__near *near, sc_slice name, uint64_t deleted, uint64_t expired);
void sc__near_tag_unknown(sc__near *near, sc_slice name);

/* With keeps_tags: the clock, to be read before a load begins; and a tag's deletion or expiry. */
uint64_t sc__near_clock(const sc__near *near);
void sc__near_tag_get(sc__near *near, sc_slice name, uint64_t *ret_deleted, uint64_t *ret_expired);

typedef enum sc__near_bump { SC__NEAR_DELETED, SC__NEAR_EXPIRED } sc__near_bump;

void sc__near_tag_bump(sc__near *near, sc_slice name, sc__near_bump what);

/* Frees what has expired, was cleared, or waited for its readers; in short slices. To be called at least four times a
 * second while it returns true; false: there's nothing to come until the next put. One caller at a time. */
bool sc__near_sweep(sc__near *near, int64_t now_ms);

typedef struct sc__near_stats {
    uint64_t hits, misses; /* as told to leave */
    uint64_t evicted;      /* for want of room */
    uint64_t expired;      /* freed after their time */
    size_t entries;        /* held, dead ones that are not freed yet too */
    size_t bytes;          /* what all that is held takes of malloc, tables and tags too */
} sc__near_stats;

void sc__near_stats_get(sc__near *near, sc__near_stats *ret_stats);

#endif
