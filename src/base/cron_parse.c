/* The grammar of cron expressions: text to sets of bits. */
#include "cron.h"

#include <stdio.h>
#include <strings.h>

#include "mem.h"

enum { TEXT_MAX = 1024, FIELDS_MAX = 7, SHOWN_MAX = 40, NUMBER_MAX = 999999 };

typedef enum field_id { SECOND, MINUTE, HOUR, DAY, MONTH, WEEKDAY, YEAR } field_id;

struct field {
    const char *name;
    int min, max;
    const char *names; /* of values from min on, three letters each */
    const char *expected;
};

static const struct field fields[FIELDS_MAX] = {
    [SECOND] = {"second", 0, 59, NULL, "0 to 59"},
    [MINUTE] = {"minute", 0, 59, NULL, "0 to 59"},
    [HOUR] = {"hour", 0, 23, NULL, "0 to 23"},
    [DAY] = {"day of month", 1, 31, NULL, "1 to 31, L, L-n, nW or LW"},
    [MONTH] = {"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", "1 to 12 or JAN to DEC"},
    [WEEKDAY] = {"day of week", 0, 7, "SUNMONTUEWEDTHUFRISAT", "0 to 7 or SUN to SAT"},
    [YEAR] = {"year", SC__CRON_YEAR_FIRST, SC__CRON_YEAR_LAST, NULL, "1970 to 2199"},
};

static const struct {
    const char *name, *text;
} macros[] = {
    {"@yearly", "0 0 1 1 *"},     {"@annually", "0 0 1 1 *"},   {"@monthly", "0 0 1 * *"},
    {"@weekly", "0 0 * * 0"},     {"@daily", "0 0 * * *"},      {"@midnight", "0 0 * * *"},
    {"@hourly", "0 * * * *"},     {"@minutely", "* * * * *"},   {"@secondly", "* * * * * *"},
    {"@weekdays", "0 0 * * 1-5"}, {"@weekends", "0 0 * * 0,6"},
};

struct parser {
    const char *text, *end; /* the whole expression */
    const char *at;
    const char *field_end;
    const struct field *field;
    field_id id;
    uint32_t random; /* state of H */
    uint32_t draw;   /* H of this field */
    bool has_seed;
    bool has_wildcard; /* '*', '?' or '/' in a field of the time */
    sc_cron *cron;
    sc__cron_days days;
    sc_cron_error *error;
};

/* Says what is wrong with the text from `from` to `to`. */
SC_PRINTF(4, 5)
static sc_err fail(struct parser *p, const char *from, const char *to, const char *fmt, ...)
{
    int len = to - from > SHOWN_MAX ? SHOWN_MAX : (int)(to - from);
    char wrong[200];
    va_list args;

    if (!p->error)
        return SC_ESYNTAX;
    va_start(args, fmt);
    vsnprintf(wrong, sizeof(wrong), fmt, args);
    va_end(args);
    p->error->field = p->field ? p->field->name : "expression";
    p->error->column = (int)(from - p->text) + 1;
    snprintf(p->error->text, sizeof(p->error->text), "%s: \"%.*s\" at column %d: %s",
             p->error->field, len, from, p->error->column, wrong);
    return SC_ESYNTAX;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The next character of the field in upper case; NUL at its end. */
static char peek_at(const struct parser *p, int ahead)
{
    char c = p->field_end - p->at > ahead ? p->at[ahead] : '\0';

    return c >= 'a' && c <= 'z' ? (char)(c - ('a' - 'A')) : c;
}

static char peek(const struct parser *p)
{
    return peek_at(p, 0);
}

static bool take(struct parser *p, char c)
{
    if (peek(p) != c)
        return false;
    p->at++;
    return true;
}

/* The end of the item of a list that begins at `from`. */
static const char *item_end(const struct parser *p, const char *from)
{
    while (from < p->field_end && *from != ',')
        from++;
    return from;
}

static sc_err unexpected(struct parser *p, const char *item)
{
    return fail(p, item, item_end(p, p->at), "expected %s", p->field->expected);
}

static sc_err number(struct parser *p, const char *item, int *ret_value)
{
    int value = 0;

    if (!is_digit(peek(p)))
        return unexpected(p, item);
    while (is_digit(peek(p)) && value <= NUMBER_MAX)
        value = value * 10 + (*p->at++ - '0');
    if (is_digit(peek(p)))
        return fail(p, item, item_end(p, p->at), "the number is too large");
    *ret_value = value;
    return SC_OK;
}

static sc_err in_range(struct parser *p, const char *from, int value)
{
    if (value >= p->field->min && value <= p->field->max)
        return SC_OK;
    return fail(p, from, p->at, "expected %s", p->field->expected);
}

/* JAN, or SUN; -1 when these letters name nothing. */
static int find_name(const struct field *field, const char *letters)
{
    for (int i = 0; field->names && field->names[3 * i]; i++)
        if (strncasecmp(field->names + 3 * i, letters, 3) == 0)
            return i + field->min;
    return -1;
}

static sc_err name(struct parser *p, const char *item, int *ret_value)
{
    const char *from = p->at, *end = p->at;
    bool is_last = false;
    int value = -1;

    while (end < p->field_end && is_letter(*end))
        end++;
    if (end - from == 4 && p->id == WEEKDAY)
        is_last = from[3] == 'L' || from[3] == 'l'; /* FRIL: the last Friday */
    if (end - from == 3 || is_last)
        value = find_name(p->field, from);
    if (value < 0 || (end < p->field_end && is_digit(*end)))
        return unexpected(p, p->field->names ? from : item);
    p->at = end - is_last;
    *ret_value = value;
    return SC_OK;
}

static sc_err value(struct parser *p, const char *item, int *ret_value)
{
    const char *from = p->at;
    sc_err err;

    if (is_letter(peek(p)))
        return name(p, item, ret_value);
    err = number(p, item, ret_value);
    return err ? err : in_range(p, from, *ret_value);
}

/* Years outgrow a word of bits; all other fields fit one. */
struct set {
    uint64_t bits[4];
};

static void add(struct set *set, const struct parser *p, int v)
{
    int bit = p->id == YEAR ? v - SC__CRON_YEAR_FIRST : p->id == WEEKDAY ? v % 7 : v;

    set->bits[bit / 64] |= 1ull << bit % 64;
}

static void add_range(struct set *set, const struct parser *p, int first, int last, int step)
{
    for (int64_t v = first; v <= last; v += step)
        add(set, p, (int)v);
}

static sc_err step(struct parser *p, const char *item, int *ret_step)
{
    const char *from = p->at + 1;
    sc_err err;

    *ret_step = 1;
    if (!take(p, '/'))
        return SC_OK;
    p->has_wildcard |= p->id <= HOUR;
    if (!is_digit(peek(p)))
        return fail(p, item, item_end(p, p->at), "expected a number after '/'");
    err = number(p, item, ret_step);
    if (!err && *ret_step < 1)
        err = fail(p, from, p->at, "expected a step of 1 or more");
    return err;
}

/* The value that the seed picks, first <= value <= last. */
static int drawn(const struct parser *p, int first, int last)
{
    return first + (int)((uint64_t)p->draw * (uint64_t)(last - first + 1) >> 32);
}

/* H, H/n, H(a-b), H(a-b)/n. Bounds outside of the field are taken as its own, a step too wide gives one value: both as
 * cron-parser does, to the bit. */
static sc_err hashed(struct parser *p, const char *item, struct set *set)
{
    int first = p->field->min, last = p->field->max, every;
    bool any = false, has_step;
    sc_err err;

    if (p->id == YEAR)
        return fail(p, item, item_end(p, p->at), "H has no meaning for years");
    if (!p->has_seed)
        return fail(p, item, item_end(p, p->at), "H needs a seed, such as the id of a scheduler");
    p->at++;
    if (take(p, '(')) {
        err = number(p, item, &first);
        if (!err && !take(p, '-'))
            err = fail(p, item, item_end(p, p->at), "expected H(from-to)");
        if (!err)
            err = number(p, item, &last);
        if (!err && (!take(p, ')') || first > last))
            err =
                fail(p, item, item_end(p, p->at), "expected H(from-to), the smaller number first");
        if (err)
            return err;
        first = first < p->field->min ? p->field->min : first;
        last = last > p->field->max ? p->field->max : last;
        if (first > last)
            return fail(p, item, p->at, "expected numbers of %s", p->field->expected);
    }
    has_step = peek(p) == '/';
    err = step(p, item, &every);
    if (err)
        return err;
    if (has_step)
        for (int64_t v =
                 first / every * every + (int64_t)((uint64_t)p->draw * (uint64_t)every >> 32);
             v <= last; v += every)
            if (v >= first) {
                add(set, p, (int)v);
                any = true;
            }
    if (!any)
        add(set, p, drawn(p, first, last));
    return SC_OK;
}

/* L, L-n, LW. */
static sc_err last_days(struct parser *p, const char *item)
{
    int n = 0;
    sc_err err;

    p->at++;
    if (take(p, 'W')) {
        p->days.last_workday = true;
        return SC_OK;
    }
    if (take(p, '-')) {
        const char *from = p->at;

        err = number(p, item, &n);
        if (err)
            return err;
        if (n > 30)
            return fail(p, from, p->at, "expected 0 to 30 days before the last");
    }
    p->days.from_last |= 1u << n;
    return SC_OK;
}

/* Weekdays that a suffix restricts: #k or #L, or L alone. True if there was one. */
static sc_err nth(struct parser *p, const char *item, const struct set *weekdays, bool *ret_found)
{
    int k = 0;

    *ret_found = peek(p) == '#' || peek(p) == 'L';
    if (!*ret_found)
        return SC_OK;
    if (take(p, '#') && peek(p) >= '1' && peek(p) <= '5')
        k = *p->at++ - '0';
    else if (!take(p, 'L'))
        return fail(p, item, item_end(p, p->at), "expected 1 to 5 or L after '#'");
    p->days.nth[k] |= (uint8_t)weekdays->bits[0];
    return SC_OK;
}

/* a, a-b, a/n, a-b/n, nW, n#k, nL. */
static sc_err plain(struct parser *p, const char *item, struct set *set)
{
    int first, last, every;
    struct set these = {{0}};
    bool has_step, found;
    sc_err err = value(p, item, &first);

    if (err)
        return err;
    if (p->id == DAY && take(p, 'W')) {
        p->days.nearest |= 1u << first;
        return SC_OK;
    }
    last = first;
    if (peek(p) == '-') {
        bool sunday = p->id == WEEKDAY && first > 0 && peek_at(p, 1) == 'S' && peek_at(p, 2) == 'U';

        p->at++;
        err = value(p, item, &last);
        if (err)
            return err;
        if (sunday)
            last = 7; /* FRI-SUN: Sunday ends the week */
        if (first > last)
            return fail(p, item, p->at, "expected the smaller value first");
        has_step = peek(p) == '/';
    } else {
        has_step = peek(p) == '/';
        last = has_step ? p->field->max : last;
    }
    err = step(p, item, &every);
    if (err)
        return err;
    add_range(&these, p, first, last, every);
    if (p->id == WEEKDAY && !has_step) {
        err = nth(p, item, &these, &found);
        if (err || found)
            return err;
    }
    for (int i = 0; i < 4; i++)
        set->bits[i] |= these.bits[i];
    return SC_OK;
}

static sc_err wildcard(struct parser *p, const char *item, struct set *set)
{
    int every;
    sc_err err;

    p->at++;
    p->has_wildcard |= p->id <= HOUR;
    err = step(p, item, &every);
    if (!err)
        add_range(set, p, p->field->min, p->field->max, every);
    return err;
}

static sc_err item(struct parser *p, struct set *set)
{
    const char *from = p->at;
    char c = peek(p);
    sc_err err;

    if (c == '\0' || c == ',')
        return fail(p, from, item_end(p, from), "the list has an empty place");
    if (c == '*' || c == '?')
        err = wildcard(p, from, set);
    else if (c == 'H')
        err = hashed(p, from, set);
    else if (c == 'L' && p->id == DAY)
        err = last_days(p, from);
    else
        err = plain(p, from, set);
    if (!err && peek(p) != '\0' && peek(p) != ',')
        err = unexpected(p, from);
    return err;
}

static bool is_any(const struct parser *p)
{
    return p->field_end - p->at == 1 && (*p->at == '*' || *p->at == '?');
}

static void store(struct parser *p, const struct set *set)
{
    switch (p->id) {
    case SECOND:
        p->cron->seconds = set->bits[0];
        break;
    case MINUTE:
        p->cron->minutes = set->bits[0];
        break;
    case HOUR:
        p->cron->hours = (uint32_t)set->bits[0];
        break;
    case DAY:
        p->days.days = (uint32_t)set->bits[0];
        break;
    case MONTH:
        p->days.months = (uint16_t)set->bits[0];
        break;
    case WEEKDAY:
        p->days.weekdays = (uint8_t)set->bits[0];
        break;
    case YEAR:
        memcpy(p->cron->years, set->bits, sizeof(set->bits));
        break;
    }
}

static sc_err parse_field(struct parser *p, field_id id, sc_slice text)
{
    struct set set = {{0}};
    sc_err err;

    p->id = id;
    p->field = &fields[id];
    p->at = text.ptr;
    p->field_end = text.ptr + text.len;
    if (id == WEEKDAY && take(p, '+'))
        p->days.both = true;
    if (id == DAY)
        p->days.any_day = is_any(p);
    if (id == WEEKDAY)
        p->days.any_weekday = is_any(p);
    p->draw = id == YEAR ? 0 : sc__cron_draw(&p->random);
    do {
        err = item(p, &set);
        if (err)
            return err;
    } while (take(p, ','));
    store(p, &set);
    return SC_OK;
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
        if (count < FIELDS_MAX)
            ret_words[count] = (sc_slice){from, (size_t)(text - from)};
        count++;
    }
}

static bool same_word(sc_slice word, const char *name)
{
    return word.len == strlen(name) && strncasecmp(word.ptr, name, word.len) == 0;
}

static sc_err find_macro(struct parser *p, const sc_slice *words, size_t count,
                         const char **ret_text)
{
    const char *from = words[0].ptr, *to = from + words[0].len;

    if (same_word(words[0], "@reboot"))
        return fail(p, from, to, "there is no @reboot here: add a job when your program starts");
    if (same_word(words[0], "@every"))
        return fail(p, from, p->end,
                    "an interval is no cron expression: give it as the scheduler's `every` in ms");
    for (size_t i = 0; i < sizeof(macros) / sizeof(*macros); i++) {
        if (!same_word(words[0], macros[i].name))
            continue;
        if (count > 1)
            return fail(p, words[1].ptr, p->end, "nothing may follow %s", macros[i].name);
        *ret_text = macros[i].text;
        return SC_OK;
    }
    return fail(p, from, to,
                "expected @yearly, @annually, @monthly, @weekly, @daily, @midnight, "
                "@hourly, @minutely, @secondly, @weekdays or @weekends");
}

static int shown(sc_slice text)
{
    return text.len > SHOWN_MAX ? SHOWN_MAX : (int)text.len;
}

static sc_err check_days(struct parser *p, sc_slice day, sc_slice month, sc_slice weekday)
{
    bool has_day = false;

    p->field = &fields[DAY];
    if (!p->days.any_day && (p->days.any_weekday || p->days.both) &&
        !sc__cron_days_possible(&p->days))
        return fail(p, day.ptr, day.ptr + day.len, "day %.*s never occurs in month %.*s",
                    shown(day), day.ptr, shown(month), month.ptr);
    for (int kind = 0; kind < SC__CRON_YEAR_KINDS; kind++)
        has_day |= p->cron->months[kind] != 0;
    if (has_day)
        return SC_OK;
    p->field = &fields[WEEKDAY];
    return fail(p, weekday.ptr, weekday.ptr + weekday.len,
                "no day is both that day of the week and that day of the month");
}

/* `words` are 5 to 7 fields. Seconds come first if there are more than 5, years last if there are 7. The draws
 * of H have an order of their own: month before day. */
static sc_err parse_fields(struct parser *p, const sc_slice *words, size_t count)
{
    static const sc_slice zero = {"0", 1}, any = {"*", 1};
    const sc_slice *w = count > 5 ? words + 1 : words;
    const sc_slice of[FIELDS_MAX] = {
        [SECOND] = count > 5 ? words[0] : zero,
        [MINUTE] = w[0],
        [HOUR] = w[1],
        [DAY] = w[2],
        [MONTH] = w[3],
        [WEEKDAY] = w[4],
        [YEAR] = count > 6 ? w[5] : any,
    };
    static const field_id order[] = {SECOND, MINUTE, HOUR, MONTH, DAY, WEEKDAY, YEAR};

    for (size_t i = 0; i < FIELDS_MAX; i++) {
        sc_err err = parse_field(p, order[i], of[order[i]]);

        if (err)
            return err;
    }
    sc__cron_days_fill(p->cron, &p->days);
    p->cron->is_fixed = !p->has_wildcard && __builtin_popcountll(p->cron->seconds) == 1 &&
                        __builtin_popcountll(p->cron->minutes) == 1 &&
                        __builtin_popcount(p->cron->hours) == 1;
    return check_days(p, of[DAY], of[MONTH], of[WEEKDAY]);
}

static sc_err check_bytes(struct parser *p)
{
    for (const char *c = p->text; c < p->end; c++)
        if (!is_space(*c) && (*c < 0x21 || *c > 0x7e))
            return fail(p, c, c, "the byte 0x%02x is not allowed, only ASCII is",
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

static sc_err parse(struct parser *p, bool allow_short)
{
    sc_slice words[FIELDS_MAX];
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
    if (allow_short && count < 5)
        count = lengthen(words, count);
    if (count < 5 || count > FIELDS_MAX)
        return fail(p, p->text, p->end, "expected 5, 6 or 7 fields, found %zu", count);
    return parse_fields(p, words, count);
}

sc_err sc_cron_parse(sc_slice text, const sc_cron_opts *opts, sc_cron **ret_cron,
                     sc_cron_error *ret_error)
{
    sc_cron_opts o = opts ? *opts : (sc_cron_opts){0};
    struct parser p = {
        .text = text.len ? text.ptr : "",
        .has_seed = o.hash_seed.len > 0,
        .error = ret_error,
    };
    sc_err err;

    p.end = p.text + text.len;
    if (text.len > TEXT_MAX) {
        (void)fail(&p, p.text, p.end, "%zu bytes; the limit is %d", text.len, TEXT_MAX);
        return SC_ETOOBIG;
    }
    p.cron = sc__calloc(1, sizeof(*p.cron));
    if (!p.cron)
        return SC_ENOMEM;
    p.random = p.has_seed ? sc__cron_seed(o.hash_seed) : 0;
    err = parse(&p, o.allow_short);
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
