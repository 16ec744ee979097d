/* "@every 1h30m": an interval as people write it in the place of a cron expression. */
#include <strings.h>

#include "cron_fields.h"

static const int64_t every_max_ms = 100ll * 366 * 86400 * 1000;

static const struct {
    const char *name;
    int64_t ms;
} units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};

/* 0: no such unit. */
static int64_t unit_ms(const char *name, size_t len)
{
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, name, len) == 0)
            return units[i].ms;
    return 0;
}

/* "90s" of "90s30ms"; moves p->at behind it. 0: not of that form, or too much. */
static int64_t part(sc__cron_parser *p)
{
    const char *digits = p->at, *name;
    int64_t value = 0, ms;

    while (p->at < p->end && *p->at >= '0' && *p->at <= '9' && value < every_max_ms)
        value = value * 10 + (*p->at++ - '0');
    name = p->at;
    while (p->at < p->end && ((*p->at | 32) >= 'a' && (*p->at | 32) <= 'z'))
        p->at++;
    ms = unit_ms(name, (size_t)(p->at - name));
    return name == digits || !ms || value > every_max_ms / ms ? 0 : value * ms;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Moves p->at behind "@every" and blanks. */
static bool take_word(sc__cron_parser *p)
{
    static const char word[] = "@every";
    const size_t len = sizeof(word) - 1;

    if ((size_t)(p->end - p->at) < len || strncasecmp(p->at, word, len) != 0 ||
        (p->at + len < p->end && !is_blank(p->at[len])))
        return false;
    for (p->at += len; p->at < p->end && is_blank(*p->at);)
        p->at++;
    return true;
}

sc_err sc_cron_every(sc_slice text, int64_t *ret_every_ms, sc_cron_error *ret_error)
{
    sc__cron_parser p = {.error = ret_error, .text = text.ptr};
    const char *from;
    int64_t sum = 0, ms;
    bool good;

    p.at = text.ptr;
    p.end = text.ptr + text.len;
    while (p.at < p.end && is_blank(*p.at))
        p.at++;
    while (p.end > p.at && is_blank(p.end[-1]))
        p.end--;
    if (!take_word(&p))
        return SC_ENOTFOUND;
    from = p.at;
    do {
        ms = p.at < p.end ? part(&p) : 0;
        good = ms && ms <= every_max_ms - sum;
        sum += good ? ms : 0;
    } while (good && p.at < p.end);
    if (!good)
        return sc__cron_fail(
            &p, from, p.end,
            "expected a time like 90s or 1h30m, of d, h, m, s and ms, up to 100 years");
    *ret_every_ms = sum;
    return SC_OK;
}
