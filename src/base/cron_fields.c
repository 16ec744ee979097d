#include "cron_fields.h"

#include "civil.h"
#include "cron_reader.h"

/* Years outgrow a word of bits; all other fields fit one. */
struct set {
    uint64_t bits[4];
};

static void add(struct set *set, const sc__cron_parser *p, int v)
{
    int bit = p->id == SC__CRON_YEAR      ? v - SC__CRON_YEAR_FIRST
              : p->id == SC__CRON_WEEKDAY ? v % 7
                                          : v;

    set->bits[bit / 64] |= 1ull << bit % 64;
}

/* All values from `first` to `last`, by words. */
static void add_all(struct set *set, const sc__cron_parser *p, int first, int last)
{
    const int zero = p->id == SC__CRON_YEAR ? SC__CRON_YEAR_FIRST : 0;

    if (p->id == SC__CRON_WEEKDAY && last == 7) {
        set->bits[0] |= 1;
        last = 6;
    }
    for (int v = first - zero; v <= last - zero;) {
        int bit = v % 64, count = last - zero - v + 1 < 64 - bit ? last - zero - v + 1 : 64 - bit;

        set->bits[v / 64] |= (count < 64 ? (1ull << count) - 1 : ~0ull) << bit;
        v += count;
    }
}

static void add_range(struct set *set, const sc__cron_parser *p, int first, int last, int step)
{
    if (step == 1)
        add_all(set, p, first, last);
    else
        for (int64_t v = first; v <= last; v += step)
            add(set, p, (int)v);
}

static sc_err step(sc__cron_parser *p, const char *item, int *ret_step)
{
    const char *from = p->at + 1;
    sc_err err;

    *ret_step = 1;
    if (!sc__cron_take(p, '/'))
        return SC_OK;
    p->has_wildcard |= p->id <= SC__CRON_HOUR;
    if (!sc__cron_is_digit(sc__cron_peek(p)))
        return sc__cron_fail(p, item, sc__cron_item_end(p, p->at), "expected a number after '/'");
    err = sc__cron_number(p, item, ret_step);
    if (!err && *ret_step < 1)
        err = sc__cron_fail(p, from, p->at, "expected a step of 1 or more");
    return err;
}

/* Warns of steps that are wider than what they go through, and of those from `first` to the field's end that don't come
 * out even where it begins anew. */
static void check_step(sc__cron_parser *p, const char *item, int first, int last, int every,
                       bool to_end)
{
    const sc__cron_bounds *field = &sc__cron_bounds_of[p->id];
    int max = p->id == SC__CRON_WEEKDAY ? 6 : field->max, size = max - field->min + 1;

    if (every > last - first && last > first)
        sc__cron_warn(p, "wide-step", p->id, item, p->at,
                      "a step of %d is wider than its range: this means %d alone", every, first);
    else if (to_end && p->id != SC__CRON_YEAR && every > 1 && size % every)
        sc__cron_warn(p, "uneven-step", p->id, item, p->at,
                      "%d does not divide %d: after %d the count begins anew with %d", every, size,
                      first + (max - first) / every * every, first);
}

/* The value that the seed picks, first <= value <= last. */
static int drawn(const sc__cron_parser *p, int first, int last)
{
    return first + (int)((uint64_t)p->draw * (uint64_t)(last - first + 1) >> 32);
}

/* A bound of H(a-b): it may lie outside of the field. */
static sc_err bound(sc__cron_parser *p, const char *item, int *ret_value)
{
    return sc__cron_is_digit(sc__cron_peek(p)) ? sc__cron_number(p, item, ret_value)
                                               : sc__cron_value(p, item, ret_value);
}

/* H, H/n, H(a-b), H(a-b)/n. Bounds outside of the field are taken as its own, a step too wide gives one value: both as
 * cron-parser does, to the bit. */
static sc_err hashed(sc__cron_parser *p, const char *item, struct set *set)
{
    int first = sc__cron_bounds_of[p->id].min, last = sc__cron_bounds_of[p->id].max, every;
    bool any = false, has_step;
    sc_err err;

    if (p->id == SC__CRON_YEAR)
        return sc__cron_fail(p, item, sc__cron_item_end(p, p->at), "H has no meaning for years");
    if (!p->has_seed)
        return sc__cron_fail(p, item, sc__cron_item_end(p, p->at),
                             "H needs a seed, such as the id of a scheduler");
    p->at++;
    if (sc__cron_take(p, '(')) {
        err = bound(p, item, &first);
        if (!err && !sc__cron_take(p, '-'))
            err = sc__cron_fail(p, item, sc__cron_item_end(p, p->at), "expected H(from-to)");
        if (!err)
            err = bound(p, item, &last);
        if (!err && (!sc__cron_take(p, ')') || first > last))
            err = sc__cron_fail(p, item, sc__cron_item_end(p, p->at),
                                "expected H(from-to), the smaller number first");
        if (err)
            return err;
        first = first < sc__cron_bounds_of[p->id].min ? sc__cron_bounds_of[p->id].min : first;
        last = last > sc__cron_bounds_of[p->id].max ? sc__cron_bounds_of[p->id].max : last;
        if (first > last)
            return sc__cron_fail(p, item, p->at, "expected numbers of %s",
                                 sc__cron_bounds_of[p->id].expected);
    }
    has_step = sc__cron_peek(p) == '/';
    err = step(p, item, &every);
    if (err)
        return err;
    if (has_step)
        check_step(p, item, first, last, every, last == sc__cron_bounds_of[p->id].max);
    if (has_step)
        for (int64_t v =
                 first / every * every + (int64_t)((uint64_t)p->draw * (uint64_t)every >> 32);
             v <= last; v += every)
            if (v >= first) {
                p->has_overlap |= p->id == SC__CRON_WEEKDAY && v == 7 && set->bits[0] & 1;
                add(set, p, (int)v);
                any = true;
            }
    if (!any)
        add(set, p, drawn(p, first, last));
    return SC_OK;
}

/* L, L-n, LW. */
static sc_err last_days(sc__cron_parser *p, const char *item)
{
    int n = 0;
    sc_err err;

    p->at++;
    if (sc__cron_take(p, 'W')) {
        p->days.last_workday = true;
        return SC_OK;
    }
    if (sc__cron_take(p, '-')) {
        const char *from = p->at;

        err = sc__cron_number(p, item, &n);
        if (err)
            return err;
        if (n > 30)
            return sc__cron_fail(p, from, p->at, "expected 0 to 30 days before the last");
    }
    p->days.from_last |= 1u << n;
    return SC_OK;
}

/* Weekdays that a suffix restricts: #k or #L, or L alone. True if there was one. */
static sc_err nth(sc__cron_parser *p, const char *item, const struct set *weekdays, bool *ret_found)
{
    int k = 0;

    *ret_found = sc__cron_peek(p) == '#' || sc__cron_peek(p) == 'L';
    if (!*ret_found)
        return SC_OK;
    if (sc__cron_take(p, '#') && sc__cron_peek(p) >= '1' && sc__cron_peek(p) <= '5')
        k = *p->at++ - '0';
    else if (!sc__cron_take(p, 'L'))
        return sc__cron_fail(p, item, sc__cron_item_end(p, p->at),
                             "expected 1 to 5 or L after '#'");
    p->days.nth[k] |= (uint8_t)weekdays->bits[0];
    return SC_OK;
}

/* a, a-b, a/n, a-b/n, nW, n#k, nL. */
static sc_err plain(sc__cron_parser *p, const char *item, struct set *set)
{
    int first, last, every;
    struct set these = {{0}};
    bool has_step, found;
    sc_err err = sc__cron_value(p, item, &first);

    if (err)
        return err;
    if (p->id == SC__CRON_DAY && sc__cron_take(p, 'W')) {
        p->days.nearest |= 1u << first;
        return SC_OK;
    }
    last = first;
    if (sc__cron_peek(p) == '-') {
        bool sunday = p->id == SC__CRON_WEEKDAY && first > 0 && sc__cron_peek_at(p, 1) == 'S' &&
                      sc__cron_peek_at(p, 2) == 'U';

        p->at++;
        err = sc__cron_value(p, item, &last);
        if (err)
            return err;
        if (sunday)
            last = 7; /* FRI-SUN: Sunday ends the week */
        if (first > last)
            return sc__cron_fail(p, item, p->at, "expected the smaller value first");
        has_step = sc__cron_peek(p) == '/';
    } else {
        has_step = sc__cron_peek(p) == '/';
        last = has_step ? sc__cron_bounds_of[p->id].max : last;
    }
    err = step(p, item, &every);
    if (err)
        return err;
    add_range(&these, p, first, last, every);
    if (has_step)
        check_step(p, item, first, last, every, last == sc__cron_bounds_of[p->id].max);
    if (p->id == SC__CRON_WEEKDAY && !has_step) {
        err = nth(p, item, &these, &found);
        if (err || found)
            return err;
    }
    *set = these;
    return SC_OK;
}

static sc_err wildcard(sc__cron_parser *p, const char *item, struct set *set)
{
    int every;
    sc_err err;

    p->at++;
    p->has_wildcard |= p->id <= SC__CRON_HOUR;
    err = step(p, item, &every);
    if (err)
        return err;
    add_range(set, p, sc__cron_bounds_of[p->id].min, sc__cron_bounds_of[p->id].max, every);
    check_step(p, item, sc__cron_bounds_of[p->id].min, sc__cron_bounds_of[p->id].max, every, true);
    return SC_OK;
}

/* The days that the one month has which is asked for; else all. Months are read before days. */
static uint64_t days_there_are(const sc__cron_parser *p)
{
    unsigned months = p->days.months;

    if (p->id != SC__CRON_DAY || months == 0 || months & (months - 1))
        return ~0ull;
    return (2ull << sc__civil_month_days(2000, sc__cron_lowest(months))) - 1;
}

/* Adds the values of an item to those of the list, and looks whether they were there already. */
static void merge(sc__cron_parser *p, struct set *set, const struct set *own)
{
    p->has_overlap |= (set->bits[0] & own->bits[0] & days_there_are(p)) != 0;
    for (int i = 0; i < 4; i++)
        set->bits[i] |= own->bits[i];
}

static sc_err item(sc__cron_parser *p, struct set *set)
{
    const char *from = p->at;
    const struct set before = *set;
    const sc__cron_days days = p->days;
    struct set own = {{0}};
    char c = sc__cron_peek(p);
    sc_err err;

    if (c == '\0' || c == ',')
        return sc__cron_fail(p, from, sc__cron_item_end(p, from), "the list has an empty place");
    if (c == '*' || c == '?')
        err = wildcard(p, from, &own);
    else if (c == 'H')
        err = hashed(p, from, &own);
    else if (c == 'L' && p->id == SC__CRON_DAY)
        err = last_days(p, from);
    else
        err = plain(p, from, &own);
    if (!err && sc__cron_peek(p) != '\0' && sc__cron_peek(p) != ',')
        err = sc__cron_unexpected(p, from);
    if (err)
        return err;
    merge(p, set, &own);
    if (!memcmp(&before, set, sizeof(before)) && !memcmp(&days, &p->days, sizeof(days))) {
        p->has_overlap |= own.bits[0] == 0; /* L, or 5L, or … once more */
        sc__cron_warn(p, "repeated-value", p->id, from, p->at, "the list has this already");
    }
    return SC_OK;
}

static bool is_any(const sc__cron_parser *p)
{
    return p->field_end - p->at == 1 && (*p->at == '*' || *p->at == '?');
}

static void store(sc__cron_parser *p, const struct set *set)
{
    switch (p->id) {
    case SC__CRON_SECOND:
        p->cron->seconds = set->bits[0];
        break;
    case SC__CRON_MINUTE:
        p->cron->minutes = set->bits[0];
        break;
    case SC__CRON_HOUR:
        p->cron->hours = (uint32_t)set->bits[0];
        break;
    case SC__CRON_DAY:
        p->days.days = (uint32_t)set->bits[0];
        break;
    case SC__CRON_MONTH:
        p->days.months = (uint16_t)set->bits[0];
        break;
    case SC__CRON_WEEKDAY:
        p->days.weekdays = (uint8_t)set->bits[0];
        break;
    case SC__CRON_YEAR:
        memcpy(p->cron->years, set->bits, sizeof(set->bits));
        break;
    }
}

sc_err sc__cron_field_parse(sc__cron_parser *p, sc__cron_field id, sc_slice text)
{
    struct set set = {{0}};
    sc_err err;

    p->id = id;
    p->in_field = true;
    p->at = text.ptr;
    p->field_end = text.ptr + text.len;
    if (id == SC__CRON_WEEKDAY && sc__cron_take(p, '+'))
        p->days.both = true;
    if (id == SC__CRON_DAY)
        p->days.any_day = is_any(p);
    if (id == SC__CRON_WEEKDAY)
        p->days.any_weekday = is_any(p);
    p->draw = id == SC__CRON_YEAR ? 0 : sc__cron_draw(&p->random);
    do {
        err = item(p, &set);
        if (err)
            return err;
    } while (sc__cron_take(p, ','));
    store(p, &set);
    return SC_OK;
}
