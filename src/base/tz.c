#include "tz.h"

#include <stdio.h>
#include <strings.h>

#include "civil.h"
#include "error.h"
#include "mem.h"
#include "tz_names.h"

static const sc__zone_type utc = {0, false, "UTC"};

/* Index of the first transition after `at_s`. */
static size_t next_transition(const sc_zone *zone, int64_t at_s)
{
    size_t low = 0, high = zone ? zone->count : 0;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (zone->at_s[middle] <= at_s)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* What clocks show before transition `next`. */
static const sc__zone_type *type_before(const sc_zone *zone, size_t next)
{
    if (!zone || !zone->type_count)
        return &utc;
    return &zone->types[next ? zone->type[next - 1] : 0];
}

static sc__zone_span span_before(const sc_zone *zone, size_t next)
{
    size_t count = zone ? zone->count : 0;

    return (sc__zone_span){
        .from_s = next ? zone->at_s[next - 1] : INT64_MIN,
        .until_s = next < count ? zone->at_s[next] : INT64_MAX,
        .offset_s = type_before(zone, next)->offset_s,
        .next = next,
    };
}

sc__zone_span sc__zone_span_at(const sc_zone *zone, int64_t at_s)
{
    return span_before(zone, next_transition(zone, at_s));
}

sc__zone_span sc__zone_span_after(const sc_zone *zone, const sc__zone_span *span)
{
    return span_before(zone, span->next + 1);
}

static const sc__zone_type *type_at(const sc_zone *zone, int64_t at_s)
{
    size_t next = next_transition(zone, at_s);
    bool daylight;

    if (!zone || next < zone->count || !zone->has_rule || !zone->rule.has_daylight)
        return type_before(zone, next);
    /* Beyond what is written out: the types of the rule are the last two, standard time first. */
    daylight = sc__tz_rule_is_daylight(&zone->rule, at_s);
    return &zone->types[zone->type_count - 2 + daylight];
}

void sc_zone_local(const sc_zone *zone, int64_t wall_ms, sc_local_time *ret_local)
{
    int64_t at_s = sc__floor_div(wall_ms, 1000), days, of_day;
    const sc__zone_type *type = type_at(zone, at_s);
    sc__civil date;

    days = sc__floor_div(at_s + type->offset_s, SC__DAY_S);
    of_day = sc__floor_mod(at_s + type->offset_s, SC__DAY_S);
    date = sc__civil_of_days(days);
    *ret_local = (sc_local_time){
        .year = date.year,
        .month = date.month,
        .day = date.day,
        .hour = (int)(of_day / 3600),
        .minute = (int)(of_day / 60 % 60),
        .second = (int)(of_day % 60),
        .weekday = sc__civil_weekday(days),
        .offset_s = type->offset_s,
        .is_dst = type->is_dst,
    };
    memcpy(ret_local->abbreviation, type->abbreviation, sizeof(type->abbreviation));
}

static sc_err load(const char *name, sc_zone **ret_zone, sc_reason *ret_reason)
{
    sc_slice bytes = {NULL, 0};
    sc__tz_stamp stamp;
    char path[512];
    sc_err err = sc__tz_read(name, path, sizeof(path), &bytes, &stamp);

    if (err)
        return sc__because(ret_reason, err, "cannot read the time zone file %s", path);
    err = sc__tzif_parse(bytes, ret_zone);
    sc_free((char *)bytes.ptr);
    if (err == SC_ESYNTAX)
        return sc__because(ret_reason, SC_ENOTFOUND, "%s is not a time zone file", path);
    if (!err)
        (*ret_zone)->stamp = stamp;
    return err;
}

static sc_err make_utc(sc_zone **ret_zone)
{
    sc_zone *zone = sc__calloc(1, sizeof(*zone));

    if (!zone)
        return SC_ENOMEM;
    memcpy(zone->name, "UTC", sizeof("UTC"));
    *ret_zone = zone;
    return SC_OK;
}

/* "UTC+3", "+05:30", "gmt-4": hours east of UTC go to `ret_hours`, 0 when they are not whole. */
static bool is_offset(sc_slice name, int *ret_hours)
{
    const char *p = name.ptr, *end = name.ptr + name.len;
    bool east, whole;
    int hours = 0;

    if (name.len > 3 && (!strncasecmp(p, "UTC", 3) || !strncasecmp(p, "GMT", 3)))
        p += 3;
    if (p == end || (*p != '+' && *p != '-'))
        return false;
    east = *p++ == '+';
    for (int i = 0; i < 2 && p < end && *p >= '0' && *p <= '9'; i++)
        hours = hours * 10 + (*p++ - '0');
    whole = p == end || (sc_slice_eq((sc_slice){p, (size_t)(end - p)}, SC_S(":00"))) ||
            (sc_slice_eq((sc_slice){p, (size_t)(end - p)}, SC_S("00")));
    *ret_hours = !whole || hours > (east ? 14 : 12) ? 0 : east ? hours : -hours;
    return true;
}

static sc_err no_offset(sc_slice name, int shown, int hours, sc_reason *ret_reason)
{
    char instead[64] = "";

    /* The signs of these names are turned round, as POSIX has them. */
    if (hours)
        snprintf(instead, sizeof(instead), ", or Etc/GMT%+d for UTC%+d all the year", -hours,
                 hours);
    return sc__because(ret_reason, SC_ENOTFOUND,
                       "there is no time zone \"%.*s\": an offset does not say when clocks change; "
                       "give an IANA name like Europe/Berlin%s",
                       shown, name.ptr, instead);
}

static sc_err unknown(sc_slice name, sc_reason *ret_reason)
{
    int shown = name.len < 64 ? (int)name.len : 64;
    char near[220];
    int hours;

    if (!ret_reason)
        return SC_ENOTFOUND;
    if (is_offset(name, &hours))
        return no_offset(name, shown, hours, ret_reason);
    sc__tz_name_suggest(name, near, sizeof(near));
    if (*near)
        return sc__because(ret_reason, SC_ENOTFOUND,
                           "there is no time zone \"%.*s\"; did you mean %s?", shown, name.ptr,
                           near);
    return sc__because(
        ret_reason, SC_ENOTFOUND,
        "there is no time zone \"%.*s\": give an IANA name like Europe/Berlin, or UTC", shown,
        name.ptr);
}

sc_err sc_zone_open(sc_slice name, sc_zone **ret_zone, sc_reason *ret_reason)
{
    char found[SC__ZONE_NAME_MAX + 1];
    sc_zone *zone = NULL;
    sc_err err;

    if (!name.len || (name.len == 3 && strncasecmp(name.ptr, "UTC", 3) == 0))
        return make_utc(ret_zone);
    err = sc__tz_name_find(name, found);
    if (err == SC_EIO)
        return sc__because(
            ret_reason, SC_EIO,
            "there is no time zone data in %s: install the package tzdata, or set TZDIR",
            sc__tz_folder());
    if (err)
        return unknown(name, ret_reason);
    err = load(found, &zone, ret_reason);
    if (err)
        return err;
    memcpy(zone->name, found, sizeof(found));
    *ret_zone = zone;
    return SC_OK;
}

void sc_zone_close(sc_zone *zone)
{
    if (!zone)
        return;
    sc_free(zone->at_s);
    sc_free(zone->type);
    sc_free(zone->types);
    sc_free(zone);
}

const char *sc_zone_name(const sc_zone *zone)
{
    return zone->name;
}
