/* A look at what lies at a key, and what of it may be given. */
#ifndef SC_CACHE_LOOK_H
#define SC_CACHE_LOOK_H

#include "budget.h"
#include "failure.h"
#include "tier.h"

enum { SC__HEAD_MAX = 64 /* of a value's first bytes, by which it is told from another one */ };

typedef struct sc__look {
    bool has_asked;  /* Redis answered, and the key may be used */
    sc__blob *value; /* to be given: fresh, or stale; the caller's reference */
    bool is_stale;
    bool is_none;                /* fresh: there is no such thing */
    sc_err kept_err;             /* fresh: the loader's error */
    sc__failure failure;         /* that lies there, kept or not; it may be replaced */
    sc__lease lease;             /* that stands there */
    char unusable[SC__HEAD_MAX]; /* how something begins that may be replaced */
    size_t unusable_len;
    /* of the value */
    int64_t age_ms;
    int64_t stored_ms;
    int64_t soft_ms; /* when it's to be loaded anew; 0: never */
    int64_t ends_ms; /* soft_ms, or when its TTL ends; 0: never */
    int64_t load_us; /* how long its load took */
} sc__look;

/* `def` may be NULL: a value is judged by its own tags. SC_ENOMEM; SC_EINVAL, SC_ETOOBIG for the definition's tags. Whatever
 * Redis does is a miss. */
SC_MUST_USE sc_err sc__cache_look(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                  sc__budget *budget, sc__look *ret_look);

/* Whether there is something to be given. */
static inline bool sc__look_has_found(const sc__look *look)
{
    return look->value || look->is_none || look->kept_err;
}

/* What Redis answered, to be opened. */
typedef struct sc__found {
    sc_reply *reply;
    const sc_reply *stored;   /* in it: a string, or something else for nothing */
    sc__tag_keys keys;        /* of the definition; the value's are added */
    const sc_cache_def *def;  /* may be NULL */
    const sc__ticket *ticket; /* NULL: it is not held in the near cache */
    sc__budget *budget;       /* for asking what the tags say */
    bool guesses;             /* the keys behind the first ones … */
    size_t sure;              /* … are a guess (tag_guess.h) */
    bool is_news;             /* that they were wrong */
    uint64_t tag_ticket;      /* of the tag memo; 0: they are not noted there */
    size_t known;             /* how many of their versions are there, or asked for: */
    sc__tag_version versions[SC__TAGS_MAX];
} sc__found;

/* Frees the reply, or hands it to the value. SC_ENOMEM. */
SC_MUST_USE sc_err sc__cache_open(sc_cache *cache, sc_slice key, sc__found *found, sc__look *look);

/* A look in two halves, for who does not wait between them. */
typedef struct sc__asking {
    sc__found found;
    sc__ticket ticket;
} sc__asking;

/* The first: what is to be asked for (`key`, and sc__asking_tags() with it, within what `budget` leaves). Not `*ret_asks`: Redis is not to be asked,
 * and so nothing is found. `asking` need not be zeroed, and stays where it is. Errors as above. */
SC_MUST_USE sc_err sc__look_begin(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                                  sc__budget *budget, sc__asking *asking, bool *ret_asks);

/* NULL: none, for what is asked for with a key. */
static inline const sc__tag_keys *sc__asking_tags(const sc__asking *asking)
{
    return asking->found.known ? &asking->found.keys : NULL;
}

/* The second, with how it ended: `err`; without one `found.reply`, `stored` and `versions` are there. SC_ENOMEM. */
SC_MUST_USE sc_err sc__look_end(sc_cache *cache, sc_slice key, sc__asking *asking, sc_err err,
                                const sc_reason *reason, sc__look *ret_look);

/* Whether that neither asks Redis for more nor takes long. */
bool sc__look_may_open(sc_cache *cache, sc__asking *asking);

/* Whether a value that may be given should be loaded anew behind: its time has come, or (XFetch) is near enough for a load that
 * takes so long. */
bool sc__look_wants_renewal(const sc__look *look, const sc_cache_def *def, int64_t now_ms);

#endif
