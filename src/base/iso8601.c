#include "iso8601.h"

#include <stdio.h>

#include "civil.h"
#include "error.h"

struct reader {
    sc_slice text;
    size_t at;
    const char *wrong; /* the first thing that was not as it should be */
};

static int digits(struct reader *r, size_t count, int min, int max, const char *wrong)
{
    int value = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned digit =
            r->at < r->text.len ? (unsigned char)r->text.ptr[r->at] - (unsigned)'0' : 10;

        if (digit > 9) {
            r->wrong = r->wrong ? r->wrong : wrong;
            return min;
        }
        value = value * 10 + (int)digit;
        r->at++;
    }
    if (value < min || value > max)
        r->wrong = r->wrong ? r->wrong : wrong;
    return value;
}

static bool take(struct reader *r, char c)
{
    if (r->at >= r->text.len || r->text.ptr[r->at] != c)
        return false;
    r->at++;
    return true;
}

static void expect(struct reader *r, char c, const char *wrong)
{
    if (!take(r, c) && !r->wrong)
        r->wrong = wrong;
}

static int fraction_ms(struct reader *r)
{
    int value = 0, scale = 100;

    if (!take(r, '.'))
        return 0;
    value = digits(r, 1, 0, 9, "digits must follow the '.'") * scale;
    while (scale > 1 && r->at < r->text.len && r->text.ptr[r->at] >= '0' &&
           r->text.ptr[r->at] <= '9') {
        scale /= 10;
        value += (r->text.ptr[r->at++] - '0') * scale;
    }
    return value;
}

static int offset_s(struct reader *r)
{
    int sign, hours, minutes;

    if (take(r, 'Z'))
        return 0;
    sign = take(r, '-') ? -1 : 1;
    if (sign > 0)
        expect(r, '+', "after the time comes 'Z' or an offset like +01:00");
    hours = digits(r, 2, 0, 23, "the offset's hours are two digits, 00 to 23");
    expect(r, ':', "the offset is written +hh:mm");
    minutes = digits(r, 2, 0, 59, "the offset's minutes are two digits, 00 to 59");
    return sign * (hours * 3600 + minutes * 60);
}

/* The day's beginning, as if in UTC. */
static int64_t read_day(struct reader *r, sc__iso8601_local *local)
{
    local->year = digits(r, 4, 1970, 9999, "the year is four digits, 1970 to 9999");
    expect(r, '-', "a date is written YYYY-MM-DD");
    local->month = digits(r, 2, 1, 12, "the month is two digits, 01 to 12");
    expect(r, '-', "a date is written YYYY-MM-DD");
    local->day = digits(r, 2, 1, 31, "the day is two digits, 01 to 31");
    if (r->wrong)
        return 0;
    if (local->day > sc__civil_month_days(local->year, local->month))
        r->wrong = "that month has no such day";
    return sc__civil_days(local->year, local->month, local->day) * SC__DAY_S;
}

/* Seconds of the day. */
static int64_t read_time(struct reader *r, sc__iso8601_local *local, bool needs_seconds)
{
    local->hour = digits(r, 2, 0, 23, "the hour is two digits, 00 to 23");
    expect(r, ':', "a time is written hh:mm:ss");
    local->minute = digits(r, 2, 0, 59, "the minute is two digits, 00 to 59");
    if (needs_seconds)
        expect(r, ':', "a time is written hh:mm:ss");
    if (needs_seconds || take(r, ':'))
        local->second = digits(r, 2, 0, 59, "the second is two digits, 00 to 59");
    return local->hour * 3600 + local->minute * 60 + local->second;
}

static sc_err end(struct reader *r, const char *like, sc_reason *ret_reason)
{
    if (!r->wrong && r->at < r->text.len)
        r->wrong = "something follows the date";
    if (!r->wrong)
        return SC_OK;
    return sc__because(ret_reason, SC_ESYNTAX, "\"%.*s\" is not a date like %s: %s",
                       r->text.len < 64 ? (int)r->text.len : 64, r->text.len ? r->text.ptr : "",
                       like, r->wrong);
}

sc_err sc__iso8601_parse_local(sc_slice text, sc__iso8601_local *ret_local, sc_reason *ret_reason)
{
    struct reader r = {.text = text};
    sc__iso8601_local local = {0};
    int64_t seconds = read_day(&r, &local);
    sc_err err;

    if (take(&r, 'T') || take(&r, ' '))
        seconds += read_time(&r, &local, false);
    local.utc_ms = seconds * 1000;
    err = end(&r, "2026-03-28, 2026-03-28T02:00 or 2026-03-28T01:00:00Z", ret_reason);
    if (!err)
        *ret_local = local;
    return err;
}

sc_err sc__iso8601_parse(sc_slice text, int64_t *ret_wall_ms, sc_reason *ret_reason)
{
    struct reader r = {.text = text};
    sc__iso8601_local local = {0};
    int64_t seconds = read_day(&r, &local);
    sc_err err;
    int ms;

    expect(&r, 'T', "a 'T' separates date and time");
    seconds += read_time(&r, &local, true);
    ms = fraction_ms(&r);
    seconds -= offset_s(&r);
    err = end(&r, "2026-03-28T01:00:00Z", ret_reason);
    if (!err)
        *ret_wall_ms = seconds * 1000 + ms;
    return err;
}

static int64_t clamp(int64_t wall_ms)
{
    const int64_t first = sc__civil_days(0, 1, 1) * SC__DAY_S * 1000;
    const int64_t last = sc__civil_days(10000, 1, 1) * SC__DAY_S * 1000 - 1;

    return wall_ms < first ? first : wall_ms > last ? last : wall_ms;
}

static int write_seconds(int64_t seconds, char *out, size_t size)
{
    sc__civil date = sc__civil_of_days(sc__floor_div(seconds, SC__DAY_S));
    int of_day = (int)sc__floor_mod(seconds, SC__DAY_S);

    return snprintf(out, size, "%04d-%02d-%02dT%02d:%02d:%02d", date.year, date.month, date.day,
                    of_day / 3600, of_day / 60 % 60, of_day % 60);
}

size_t sc__iso8601_text(int64_t wall_ms, bool with_ms, char out[SC__ISO8601_LEN + 1])
{
    char text[64];
    int len;

    wall_ms = clamp(wall_ms);
    len = write_seconds(sc__floor_div(wall_ms, 1000), text, sizeof(text));
    if (with_ms)
        len += snprintf(text + len, sizeof(text) - (size_t)len, ".%03d",
                        (int)sc__floor_mod(wall_ms, 1000));
    text[len++] = 'Z';
    memcpy(out, text, (size_t)len);
    out[len] = '\0';
    return (size_t)len;
}
