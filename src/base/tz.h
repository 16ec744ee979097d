/* A time zone in memory: when its clocks changed, and what they show. The public half is <storychain/cron.h>.
 *
 * Read-only after it was loaded. Transitions are listed up to the end of 2200, the zone's rule (tz_rule.h) written out. */
#ifndef SC_BASE_TZ_H
#define SC_BASE_TZ_H

#include <storychain/cron.h>

#include "tz_data.h"
#include "tz_rule.h"

#define SC__ZONE_NAME_MAX 63

/* What clocks may show. */
typedef struct sc__zone_type {
    int offset_s; /* east of UTC */
    bool is_dst;
    char abbreviation[SC__ABBREVIATION_LEN + 1];
} sc__zone_type;

struct sc_zone {
    char name[SC__ZONE_NAME_MAX + 1];
    sc__tz_stamp stamp; /* of the file that it was read from */
    size_t count;       /* of transitions */
    int64_t *at_s;
    unsigned char *type; /* index of what clocks show from at_s on */
    sc__zone_type *types;
    size_t type_count;
    bool has_rule; /* for what lies after the last transition */
    sc__tz_rule rule;
};

/* A stretch of time without a change of clocks: from_s <= t < until_s. */
typedef struct sc__zone_span {
    int64_t from_s, until_s; /* INT64_MIN, INT64_MAX: no beginning, no end */
    int offset_s;
    size_t next; /* transition that ends it: index, or the number of transitions */
} sc__zone_span;

/* The stretch that holds `at_s`; the one after a stretch that ends. `zone` NULL: UTC. */
sc__zone_span sc__zone_span_at(const sc_zone *zone, int64_t at_s);
sc__zone_span sc__zone_span_after(const sc_zone *zone, const sc__zone_span *span);

/* Reads the bytes of a TZif file (RFC 8536) into a zone without a name; free with sc_zone_close. SC_ESYNTAX. */
SC_MUST_USE sc_err sc__tzif_parse(sc_slice bytes, sc_zone **ret_zone);

#endif
