#include "tz_rule.h"

#include "civil.h"

struct reader {
    const char *at, *end;
    bool bad;
};

static int fail(struct reader *r)
{
    r->bad = true;
    return 0;
}

static bool next_is(const struct reader *r, char c)
{
    return r->at < r->end && *r->at == c;
}

static bool take(struct reader *r, char c)
{
    if (!next_is(r, c))
        return false;
    r->at++;
    return true;
}

static int number(struct reader *r, int min, int max)
{
    const char *first = r->at;
    int value = 0;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - first < 4)
        value = value * 10 + (*r->at++ - '0');
    if (r->at == first || value < min || value > max)
        return fail(r);
    return value;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_quoted_char(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-';
}

static void name(struct reader *r, char out[SC__ABBREVIATION_LEN + 1])
{
    bool quoted = take(r, '<');
    size_t len = 0;

    while (r->at < r->end && (quoted ? is_quoted_char(*r->at) : is_letter(*r->at))) {
        if (len == SC__ABBREVIATION_LEN) {
            fail(r);
            return;
        }
        out[len++] = *r->at++;
    }
    out[len] = '\0';
    if (len < 3 || (quoted && !take(r, '>')))
        fail(r);
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int duration(struct reader *r, int max_hours)
{
    int sign = take(r, '-') ? -1 : 1, seconds;

    if (sign > 0)
        take(r, '+');
    seconds = number(r, 0, max_hours) * 3600;
    if (take(r, ':'))
        seconds += number(r, 0, 59) * 60;
    if (take(r, ':'))
        seconds += number(r, 0, 59);
    return sign * seconds;
}

static sc__tz_date date(struct reader *r)
{
    sc__tz_date d = {.time_s = 2 * 3600};

    if (!take(r, ',')) {
        fail(r);
    } else if (take(r, 'M')) {
        d.kind = SC__TZ_MONTH_WEEK_DAY;
        d.month = number(r, 1, 12);
        d.week = take(r, '.') ? number(r, 1, 5) : fail(r);
        d.day = take(r, '.') ? number(r, 0, 6) : fail(r);
    } else if (take(r, 'J')) {
        d.kind = SC__TZ_JULIAN;
        d.day = number(r, 1, 365);
    } else {
        d.kind = SC__TZ_DAY_OF_YEAR;
        d.day = number(r, 0, 365);
    }
    if (take(r, '/'))
        d.time_s = duration(r, 167);
    return d;
}

sc_err sc__tz_rule_parse(sc_slice text, sc__tz_rule *ret_rule)
{
    struct reader r = {text.ptr, text.ptr + text.len, text.len == 0};
    sc__tz_rule rule = {0};

    if (r.bad)
        return SC_ESYNTAX;
    name(&r, rule.standard);
    rule.standard_s = -duration(&r, 24);
    if (!r.bad && r.at < r.end) {
        rule.has_daylight = true;
        name(&r, rule.daylight);
        rule.daylight_s = next_is(&r, ',') ? rule.standard_s + 3600 : -duration(&r, 24);
        rule.start = date(&r);
        rule.end = date(&r);
    }
    if (r.bad || r.at < r.end)
        return SC_ESYNTAX;
    *ret_rule = rule;
    return SC_OK;
}

static int64_t day_of(const sc__tz_date *d, int year)
{
    int64_t first = sc__civil_days(year, d->kind == SC__TZ_MONTH_WEEK_DAY ? d->month : 1, 1);
    int into;

    if (d->kind == SC__TZ_DAY_OF_YEAR)
        return first + d->day;
    if (d->kind == SC__TZ_JULIAN) /* 29 February is never counted */
        return first + d->day - 1 + (d->day >= 60 && sc__civil_is_leap(year));
    into = (d->day - sc__civil_weekday(first) + 7) % 7 + (d->week - 1) * 7;
    return first + (into < sc__civil_month_days(year, d->month) ? into : into - 7);
}

void sc__tz_rule_year(const sc__tz_rule *rule, int year, sc__tz_change ret_changes[2])
{
    sc__tz_change start = {
        day_of(&rule->start, year) * SC__DAY_S + rule->start.time_s - rule->standard_s, true};
    sc__tz_change end = {day_of(&rule->end, year) * SC__DAY_S + rule->end.time_s - rule->daylight_s,
                         false};

    ret_changes[0] = start.at_s <= end.at_s ? start : end;
    ret_changes[1] = start.at_s <= end.at_s ? end : start;
}

bool sc__tz_rule_is_daylight(const sc__tz_rule *rule, int64_t at_s)
{
    int year = sc__civil_of_days(sc__floor_div(at_s, SC__DAY_S)).year;
    bool daylight = false;

    if (!rule->has_daylight)
        return false;
    for (int y = year - 1; y <= year + 1; y++) {
        sc__tz_change changes[2];

        sc__tz_rule_year(rule, y, changes);
        for (int i = 0; i < 2; i++)
            if (changes[i].at_s <= at_s)
                daylight = changes[i].to_daylight;
    }
    return daylight;
}
