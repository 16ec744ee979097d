/* Whole cron expressions: macros, fields, and days that never come. */
#include "cron_fields.h"

#include <strings.h>

#include "mem.h"

enum { TEXT_MAX = 1024 };

static const struct {
    const char *name, *text;
} macros[] = {
    {"@yearly", "0 0 1 1 *"},     {"@annually", "0 0 1 1 *"},   {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},     {"@daily", "0 0 * * *"},      {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},     {"@minutely", "* * * * *"},   {"@secondly", "* * * * * *"},
    {"@weekdays", "0 0 * * 1-5"}, {"@weekends", "0 0 * * 0,6"},
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static size_t split(const char *text, const char *end, sc_slice *ret_words)
{
    size_t count = 0;

    for (;;) {
        const char *from;

        while (text < end && is_space(*text))
            text++;
        if (text == end)
            return count;
        from = text;
        while (text < end && !is_space(*text))
            text++;
        if (count < SC__CRON_FIELDS)
            ret_words[count] = (sc_slice){from, (size_t)(text - from)};
        count++;
    }
}

static bool same_word(sc_slice word, const char *name)
{
    return word.len == strlen(name) && strncasecmp(word.ptr, name, word.len) == 0;
}

static sc_err find_macro(sc__cron_parser *p, const sc_slice *words, size_t count,
                         const char **ret_text)
{
    const char *from = words[0].ptr, *to = from + words[0].len;

    if (same_word(words[0], "@reboot"))
        return sc__cron_fail(p, from, to,
                             "there is no @reboot here: add a job when your program starts");
    if (same_word(words[0], "@every"))
        return sc__cron_fail(p, from, p->end,
                             "an interval is no cron expression: give it as a scheduler's `every`");
    for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
        if (!same_word(words[0], macros[i].name))
            continue;
        if (count > 1)
            return sc__cron_fail(p, words[1].ptr, p->end, "nothing may follow %s", macros[i].name);
        *ret_text = macros[i].text;
        return SC_OK;
    }
    return sc__cron_fail(p, from, to,
                         "expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, "
                         "@hourly, @minutely, @secondly, @weekdays or @weekends");
}

static int shown(sc_slice text)
{
    return text.len > SC__CRON_SHOWN_MAX ? SC__CRON_SHOWN_MAX : (int)text.len;
}

static sc_err check_days(sc__cron_parser *p, sc_slice day, sc_slice month, sc_slice weekday)
{
    bool has_day = false;

    p->id = SC__CRON_DAY;
    if (!p->days.any_day && (p->days.any_weekday || p->days.both) &&
        !sc__cron_days_possible(&p->days))
        return sc__cron_fail(p, day.ptr, day.ptr + day.len, "day %.*s never occurs in month %.*s",
                             shown(day), day.ptr, shown(month), month.ptr);
    for (int kind = 0; kind < SC__CRON_YEAR_KINDS; kind++)
        has_day |= p->cron->months[kind] != 0;
    if (has_day)
        return SC_OK;
    p->id = SC__CRON_WEEKDAY;
    return sc__cron_fail(p, weekday.ptr, weekday.ptr + weekday.len,
                         "no day is both that day of the week and that day of the month");
}

/* `words` are 5 to 7 fields. Seconds come first if there are more than 5, years last if there are 7. The draws
 * of H have an order of their own: month before day. */
static sc_err parse_fields(sc__cron_parser *p, const sc_slice *words, size_t count)
{
    static const sc_slice zero = {"0", 1}, any = {"*", 1};
    const sc_slice *w = count > 5 ? words + 1 : words;
    const sc_slice of[SC__CRON_FIELDS] = {
        [SC__CRON_SECOND] = count > 5 ? words[0] : zero,
        [SC__CRON_MINUTE] = w[0],
        [SC__CRON_HOUR] = w[1],
        [SC__CRON_DAY] = w[2],
        [SC__CRON_MONTH] = w[3],
        [SC__CRON_WEEKDAY] = w[4],
        [SC__CRON_YEAR] = count > 6 ? w[5] : any,
    };
    static const sc__cron_field order[] = {SC__CRON_SECOND, SC__CRON_MINUTE, SC__CRON_HOUR,
                                           SC__CRON_MONTH,  SC__CRON_DAY,    SC__CRON_WEEKDAY,
                                           SC__CRON_YEAR};

    memcpy(p->words, of, sizeof(of));
    p->has_years = count > 6;
    for (size_t i = 0; i < SC__CRON_FIELDS; i++) {
        sc_err err = sc__cron_field_parse(p, order[i], of[order[i]]);

        if (err)
            return err;
    }
    p->cron->has_seconds = count > 5;
    sc__cron_days_fill(p->cron, &p->days);
    p->cron->is_fixed = !p->has_wildcard && __builtin_popcountll(p->cron->seconds) == 1 &&
                        __builtin_popcountll(p->cron->minutes) == 1 &&
                        __builtin_popcount(p->cron->hours) == 1;
    return check_days(p, of[SC__CRON_DAY], of[SC__CRON_MONTH], of[SC__CRON_WEEKDAY]);
}

static sc_err check_bytes(sc__cron_parser *p)
{
    for (const char *c = p->text; c < p->end; c++)
        if (!is_space(*c) && (*c < 0x21 || *c > 0x7e))
            return sc__cron_fail(p, c, c, "the byte 0x%02x is not allowed, only ASCII is",
                                 (unsigned)(unsigned char)*c);
    return SC_OK;
}

/* BullMQ reads less than five fields too: what is missing is missing on the left. */
static size_t lengthen(sc_slice *words, size_t count)
{
    const size_t missing = 5 - count;

    memmove(words + missing, words, count * sizeof(*words));
    for (size_t i = 0; i < missing; i++)
        words[i] = (sc_slice){"*", 1};
    return 5;
}

static sc_err parse(sc__cron_parser *p, bool allow_short)
{
    sc_slice words[SC__CRON_FIELDS];
    const char *macro = NULL;
    size_t count;
    sc_err err = check_bytes(p);

    if (err)
        return err;
    count = split(p->text, p->end, words);
    if (count && words[0].ptr[0] == '@') {
        err = find_macro(p, words, count, &macro);
        if (err)
            return err;
        count = split(macro, macro + strlen(macro), words);
    }
    if (allow_short && count < 5) {
        sc__cron_warn(p, "short-form", SC__CRON_FIELDS, p->text, p->end,
                      "what is missing is taken as '*', on the left; write all five fields");
        count = lengthen(words, count);
    }
    if (count < 5 || count > SC__CRON_FIELDS)
        return sc__cron_fail(p, p->text, p->end, "expected 5, 6 or 7 fields, found %zu", count);
    return parse_fields(p, words, count);
}

sc_err sc__cron_read(sc_slice text, const sc_cron_opts *opts, sc__cron_parser *p)
{
    sc_cron_opts o = opts ? *opts : (sc_cron_opts){0};

    p->text = text.len ? text.ptr : "";
    p->end = p->text + text.len;
    if (text.len > TEXT_MAX) {
        (void)sc__cron_fail(p, p->text, p->end, "%zu bytes; the limit is %d", text.len, TEXT_MAX);
        return SC_ETOOBIG;
    }
    p->has_seed = o.hash_seed.len > 0;
    p->random = p->has_seed ? sc__cron_seed(o.hash_seed) : 0;
    p->cron->dst = o.dst;
    return parse(p, o.allow_short);
}

sc_err sc_cron_parse(sc_slice text, const sc_cron_opts *opts, sc_cron **ret_cron,
                     sc_cron_error *ret_error)
{
    sc__cron_parser p = {.cron = sc__calloc(1, sizeof(*p.cron)), .error = ret_error};
    sc_err err;

    if (!p.cron)
        return SC_ENOMEM;
    err = sc__cron_read(text, opts, &p);
    if (err) {
        sc_free(p.cron);
        return err;
    }
    *ret_cron = p.cron;
    return SC_OK;
}

void sc_cron_free(sc_cron *cron)
{
    sc_free(cron);
}
