/* What of our grammar cron-parser 5.10 does not read: a Node worker of BullMQ would give up the job. */
#include <strings.h>

#include "cron_fields.h"

static bool has(sc_slice text, char c)
{
    return memchr(text.ptr, c, text.len) != NULL;
}

/* True for an 'h' that is not the one of "thu". */
static bool has_lower_h(sc_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == 'h' && (!i || (text.ptr[i - 1] | 32) != 't'))
            return true;
    return false;
}

/* FRI-SUN: there Sunday is 0 by its name. */
static bool is_week_end(sc_slice item)
{
    for (size_t i = 1; i + 3 < item.len; i++)
        if (item.ptr[i] == '-' && strncasecmp(item.ptr + i + 1, "sun", 3) == 0)
            return item.ptr[0] != '0' && strncasecmp(item.ptr, "sun", 3) != 0;
    return false;
}

/* "1-5L", "02L": there a weekday before L is one digit, or a name. */
static bool is_odd_last(sc_slice item)
{
    const bool digit = item.ptr[0] >= '0' && item.ptr[0] <= '9';

    return has(item, 'L') && (has(item, '-') || item.len > (digit ? 2 : 4));
}

static bool is_foreign_weekday(sc_slice word)
{
    const char *end = word.ptr + word.len;

    if (word.ptr[0] == '+' || has(word, 'l'))
        return true;
    if (has(word, '#') && (has(word, ',') || has(word, '-') || has(word, 'L')))
        return true;
    for (const char *at = word.ptr; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        sc_slice item = {at, (size_t)((comma ? comma : end) - at)};

        if (is_week_end(item) || is_odd_last(item))
            return true;
        at = comma ? comma + 1 : end;
    }
    return false;
}

static bool is_foreign_day(sc_slice word)
{
    for (size_t i = 0; i + 1 < word.len; i++)
        if (word.ptr[i] == 'L' && word.ptr[i + 1] == '-')
            return true;
    return has(word, 'l') || has(word, 'W') || has(word, 'w');
}

/* Macros in lower case alone, with nothing around them; "@midnight" is none. */
static bool is_foreign_macro(const sc__cron_parser *p)
{
    if (p->text[0] != '@' || p->end[-1] < 'a' || p->end[-1] > 'z')
        return true;
    for (const char *c = p->text + 1; c < p->end; c++)
        if (*c < 'a' || *c > 'z')
            return true;
    return strncmp(p->text, "@midnight", (size_t)(p->end - p->text)) == 0;
}

bool sc__cron_is_foreign(const sc__cron_parser *p)
{
    sc_slice text = {p->text, (size_t)(p->end - p->text)};

    if (has(text, '@'))
        return is_foreign_macro(p);
    if (p->has_years || p->has_overlap || is_foreign_day(p->words[SC__CRON_DAY]) ||
        is_foreign_weekday(p->words[SC__CRON_WEEKDAY]))
        return true;
    for (int id = SC__CRON_SECOND; id <= SC__CRON_WEEKDAY; id++)
        if (has_lower_h(p->words[id]))
            return true;
    return false;
}
