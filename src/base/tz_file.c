/* Time zone files: the bytes of TZif (RFC 8536, versions 1 to 4) made into a zone. */
#include "tz.h"

#include "mem.h"

enum {
    HEADER = 44,
    TRANSITIONS_MAX = 4096,
    TYPES_MAX = 250, /* and two of the rule: an index fits a byte */
    NAMES_MAX = 4096,
    RULE_YEAR_FIRST = 1970,
    RULE_YEAR_LAST = 2200,
    OFFSET_MAX = 26 * 3600
};

/* One data block: a header, then arrays of these sizes. */
struct block {
    size_t isut, isstd, leap, times, types, chars;
    size_t time_size;
    const unsigned char *data;
    size_t len;
};

static uint32_t u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t read_time(const struct block *b, size_t index)
{
    const unsigned char *p = b->data + index * b->time_size;

    if (b->time_size == 4)
        return (int32_t)u32(p);
    return (int64_t)((uint64_t)u32(p) << 32 | u32(p + 4));
}

static bool read_block(const unsigned char *p, size_t len, size_t time_size,
                       struct block *ret_block)
{
    struct block b = {.time_size = time_size};

    if (len < HEADER || memcmp(p, "TZif", 4) != 0)
        return false;
    b.isut = u32(p + 20);
    b.isstd = u32(p + 24);
    b.leap = u32(p + 28);
    b.times = u32(p + 32);
    b.types = u32(p + 36);
    b.chars = u32(p + 40);
    if (b.times > TRANSITIONS_MAX || b.types < 1 || b.types > TYPES_MAX || b.chars < 1 ||
        b.chars > NAMES_MAX || b.leap > TRANSITIONS_MAX || b.isut > b.types || b.isstd > b.types)
        return false;
    b.data = p + HEADER;
    b.len = b.times * (time_size + 1) + b.types * 6 + b.chars + b.leap * (time_size + 4) + b.isstd +
            b.isut;
    if (b.len > len - HEADER)
        return false;
    *ret_block = b;
    return true;
}

static bool read_types(const struct block *b, sc_zone *zone)
{
    const unsigned char *p = b->data + b->times * (b->time_size + 1);
    const char *names = (const char *)p + b->types * 6;

    for (size_t i = 0; i < b->types; i++, p += 6) {
        sc__zone_type *type = &zone->types[zone->type_count++];
        int64_t offset = (int32_t)u32(p);
        size_t name = p[5], len;

        if (offset < -OFFSET_MAX || offset > OFFSET_MAX || p[4] > 1 || name >= b->chars)
            return false;
        type->offset_s = (int)offset;
        type->is_dst = p[4];
        len = strnlen(names + name, b->chars - name);
        if (len > SC__ABBREVIATION_LEN)
            return false;
        memcpy(type->abbreviation, names + name, len);
    }
    return true;
}

static bool read_transitions(const struct block *b, sc_zone *zone)
{
    const unsigned char *types = b->data + b->times * b->time_size;

    for (size_t i = 0; i < b->times; i++) {
        int64_t at = read_time(b, i);

        if (types[i] >= b->types || (i && at <= zone->at_s[i - 1]))
            return false;
        zone->at_s[i] = at;
        zone->type[i] = types[i];
    }
    zone->count = b->times;
    return true;
}

static unsigned char add_type(sc_zone *zone, int offset_s, bool is_dst, const char *abbreviation)
{
    sc__zone_type *type = &zone->types[zone->type_count];

    type->offset_s = offset_s;
    type->is_dst = is_dst;
    memcpy(type->abbreviation, abbreviation, strlen(abbreviation) + 1);
    return (unsigned char)zone->type_count++;
}

static void add_transition(sc_zone *zone, int64_t at_s, unsigned char type)
{
    if (zone->count && zone->at_s[zone->count - 1] > at_s)
        return;
    /* At one time the later word counts: how a rule says that daylight saving time never ends. */
    if (!zone->count || zone->at_s[zone->count - 1] < at_s)
        zone->count++;
    zone->at_s[zone->count - 1] = at_s;
    zone->type[zone->count - 1] = type;
}

/* Writes the rule out, from the last transition of the file on. */
static void apply_rule(sc_zone *zone)
{
    const sc__tz_rule *rule = &zone->rule;
    int64_t from = zone->count ? zone->at_s[zone->count - 1] + 1 : INT64_MIN;
    unsigned char standard, daylight;

    standard = add_type(zone, rule->standard_s, false, rule->standard);
    if (!rule->has_daylight) {
        if (!zone->count)
            add_transition(zone, INT64_MIN / 2, standard);
        return;
    }
    daylight = add_type(zone, rule->daylight_s, true, rule->daylight);
    for (int year = RULE_YEAR_FIRST; year <= RULE_YEAR_LAST; year++) {
        sc__tz_change changes[2];

        sc__tz_rule_year(rule, year, changes);
        for (int i = 0; i < 2; i++)
            if (changes[i].at_s >= from)
                add_transition(zone, changes[i].at_s, changes[i].to_daylight ? daylight : standard);
    }
}

static sc_zone *make_zone(const struct block *b)
{
    size_t most = b->times + 2 * (RULE_YEAR_LAST - RULE_YEAR_FIRST + 1) + 1;
    sc_zone *zone = sc__calloc(1, sizeof(*zone));

    if (!zone)
        return NULL;
    zone->at_s = sc__malloc(most * sizeof(*zone->at_s));
    zone->type = sc__malloc(most);
    zone->types = sc__calloc(b->types + 2, sizeof(*zone->types));
    if (!zone->at_s || !zone->type || !zone->types) {
        sc_zone_close(zone);
        return NULL;
    }
    return zone;
}

/* The line between two newlines after the last block; empty: clocks don't change any more. */
static bool read_rule(sc_slice rest, sc_zone *zone)
{
    const char *end;

    if (!rest.len || rest.ptr[0] != '\n')
        return false;
    end = memchr(rest.ptr + 1, '\n', rest.len - 1);
    if (!end)
        return false;
    if (end == rest.ptr + 1)
        return true;
    if (sc__tz_rule_parse((sc_slice){rest.ptr + 1, (size_t)(end - rest.ptr - 1)}, &zone->rule))
        return false;
    zone->has_rule = true;
    apply_rule(zone);
    return true;
}

sc_err sc__tzif_parse(sc_slice bytes, sc_zone **ret_zone)
{
    const unsigned char *p = (const unsigned char *)bytes.ptr;
    const char *rest = NULL;
    struct block b;
    sc_zone *zone;
    bool good;

    if (!read_block(p, bytes.len, 4, &b))
        return SC_ESYNTAX;
    if (p[4] >= '2') {
        const unsigned char *second = b.data + b.len;

        if (!read_block(second, bytes.len - (size_t)(second - p), 8, &b))
            return SC_ESYNTAX;
        rest = (const char *)b.data + b.len;
    }
    zone = make_zone(&b);
    if (!zone)
        return SC_ENOMEM;
    good = read_types(&b, zone) && read_transitions(&b, zone) &&
           (!rest || read_rule((sc_slice){rest, (size_t)(bytes.ptr + bytes.len - rest)}, zone));
    if (!good) {
        sc_zone_close(zone);
        return SC_ESYNTAX;
    }
    *ret_zone = zone;
    return SC_OK;
}
