/* What a schedule leaves out: days, and whatever matches other expressions. */
#include <stdio.h>

#include "civil.h"
#include "cron.h"
#include "iso8601.h"
#include "mem.h"
#include "tz.h"

/* So many stretches in a row, and it is given up: the search has an end, whatever is excluded. */
enum { STRETCHES_MAX = 10000, DATE_LEN = 10, SHOWN_MAX = 40 };

struct item {
    sc_cron *cron; /* NULL: days */
    int64_t first_day, last_day;
};

struct sc_cron_exclusions {
    size_t count;
    struct item items[SC_CRON_EXCLUSIONS_MAX];
};

/* It begins with a year and '-'. */
static bool is_dates(sc_slice text)
{
    size_t digits = 0;

    while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9')
        digits++;
    return digits == 4 && text.len > 4 && text.ptr[4] == '-';
}

static sc_err date(sc_slice text, int64_t *ret_day)
{
    char whole[SC__ISO8601_LEN + 1];
    int64_t ms;

    if (text.len != DATE_LEN)
        return SC_ESYNTAX;
    snprintf(whole, sizeof(whole), "%.*sT00:00:00Z", DATE_LEN, text.ptr);
    if (sc__iso8601_parse(sc_slice_of(whole), &ms, NULL))
        return SC_ESYNTAX;
    *ret_day = ms / 1000 / SC__DAY_S;
    return SC_OK;
}

/* "2026-12-25", or "2026-12-24/2027-01-01". */
static sc_err dates(sc_slice text, struct item *item, sc_cron_error *error)
{
    sc_slice first = {text.ptr, text.len < DATE_LEN ? text.len : DATE_LEN}, last = first;
    sc_err err = date(first, &item->first_day);

    if (text.len > DATE_LEN && text.ptr[DATE_LEN] == '/')
        last = (sc_slice){text.ptr + DATE_LEN + 1, text.len - DATE_LEN - 1};
    else if (text.len != DATE_LEN)
        err = SC_ESYNTAX;
    if (!err)
        err = date(last, &item->last_day);
    if (!err && item->last_day >= item->first_day)
        return SC_OK;
    if (error) {
        error->field = "date";
        error->column = 1;
        snprintf(error->text, sizeof(error->text),
                 "date: \"%.*s\" at column 1: expected a day like 2026-12-25, or two like "
                 "2026-12-24/2027-01-01, the earlier one first",
                 text.len < SHOWN_MAX ? (int)text.len : SHOWN_MAX, text.ptr);
    }
    return SC_ESYNTAX;
}

static sc_err parse_item(sc_slice text, struct item *item, sc_cron_error *error)
{
    sc_err err;

    if (is_dates(text))
        return dates(text, item, error);
    err = sc_cron_parse(text, NULL, &item->cron, error);
    /* Five fields mean minutes as a whole. */
    if (!err && !item->cron->has_seconds)
        item->cron->seconds = (1ull << 60) - 1;
    return err;
}

sc_err sc_cron_exclusions_parse(const sc_slice *texts, size_t count,
                                sc_cron_exclusions **ret_exclusions, size_t *ret_wrong,
                                sc_cron_error *ret_error)
{
    sc_cron_exclusions *all;

    if (count > SC_CRON_EXCLUSIONS_MAX)
        return SC_ETOOBIG;
    all = sc__calloc(1, sizeof(*all));
    if (!all)
        return SC_ENOMEM;
    for (; all->count < count; all->count++) {
        sc_err err = parse_item(texts[all->count], &all->items[all->count], ret_error);

        if (err) {
            if (ret_wrong)
                *ret_wrong = all->count;
            sc_cron_exclusions_free(all);
            return err;
        }
    }
    *ret_exclusions = all;
    return SC_OK;
}

void sc_cron_exclusions_free(sc_cron_exclusions *exclusions)
{
    for (size_t i = 0; exclusions && i < exclusions->count; i++)
        sc_cron_free(exclusions->items[i].cron);
    sc_free(exclusions);
}

/* How long, from a local time on, an expression leaves nothing: until the end of the second, minute, hour or day that it
 * matches as a whole. 0: it doesn't match. */
static int64_t matched_s(const sc_cron *cron, int64_t local_s)
{
    int of_day = (int)sc__floor_mod(local_s, SC__DAY_S);

    if (!sc__cron_matches(cron, local_s))
        return 0;
    if (cron->seconds != (1ull << 60) - 1)
        return 1;
    if (cron->minutes != (1ull << 60) - 1)
        return 60 - of_day % 60;
    if (cron->hours != (1u << 24) - 1)
        return 3600 - of_day % 3600;
    return SC__DAY_S - of_day;
}

/* The first instant at or after `at_s` for which one of them says nothing; `at_s` itself when it's not excluded. */
static int64_t excluded_until(const sc_cron_exclusions *all, const sc_zone *zone, int64_t at_s)
{
    sc__zone_span span = sc__zone_span_at(zone, at_s);
    int64_t local_s = at_s + span.offset_s, day = sc__floor_div(local_s, SC__DAY_S), until = at_s;

    for (size_t i = 0; i < all->count; i++) {
        const struct item *item = &all->items[i];
        int64_t end = at_s;

        if (item->cron)
            end = at_s + matched_s(item->cron, local_s);
        else if (item->first_day <= day && day <= item->last_day)
            end = (item->last_day + 1) * SC__DAY_S - span.offset_s;
        until = end > until ? end : until;
    }
    return until < span.until_s ? until : span.until_s;
}

bool sc_cron_excludes(const sc_cron_exclusions *exclusions, const sc_zone *zone, int64_t wall_ms)
{
    int64_t at_s = sc__floor_div(wall_ms, 1000);

    return exclusions && excluded_until(exclusions, zone, at_s) > at_s;
}

sc_err sc_cron_next_except(const sc_cron *cron, const sc_zone *zone,
                           const sc_cron_exclusions *exclusions, int64_t after_ms,
                           int64_t *ret_next_ms)
{
    for (int i = 0; i < STRETCHES_MAX; i++) {
        int64_t next_ms, until_s;
        sc_err err = sc_cron_next(cron, zone, after_ms, &next_ms);

        if (err)
            return err;
        until_s = exclusions ? excluded_until(exclusions, zone, next_ms / 1000) : 0;
        if (until_s <= next_ms / 1000) {
            *ret_next_ms = next_ms;
            return SC_OK;
        }
        after_ms = until_s * 1000 - 1;
    }
    return SC_ENOTFOUND;
}
