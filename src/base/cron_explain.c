/* A cron expression in words: "At 09:00 on Monday to Friday". Said is what was understood, not what was written. */
#include "cron_fields.h"
#include "cron_words.h"

enum { TEXT_MAX = 8192, TIMES_MAX = 6 };

struct times {
    sc__cron_values seconds, minutes, hours;
    bool on_the_minute; /* second 0 alone */
};

/* "09:00", "09:00:30". */
static void say_time(sc__str *s, const struct times *t, int hour, int minute, int second)
{
    sc__str_printf(s, "%02d:%02d", hour, minute);
    if (!t->on_the_minute)
        sc__str_printf(s, ":%02d", second);
}

static void say_all_times(sc__str *s, const struct times *t)
{
    int each = t->minutes.count * t->seconds.count, count = t->hours.count * each;

    sc__str_text(s, "At ");
    for (int i = 0; i < count; i++) {
        if (i)
            sc__str_text(s, i + 1 == count ? " and " : ", ");
        say_time(s, t, t->hours.of[i / each],
                 t->minutes.of[i / t->seconds.count % t->minutes.count],
                 t->seconds.of[i % t->seconds.count]);
    }
}

/* "minute 5", "minutes 5 and 25". */
static void say_of_unit(sc__str *s, const char *before, const char *unit,
                        const sc__cron_values *values)
{
    sc__str_printf(s, "%s%s%s ", before, unit, values->count > 1 ? "s" : "");
    sc__cron_say_list(s, values, "and");
}

/* Says what a field of 60 begins a sentence with. True: "Every …", false: "At …". */
static bool say_first(sc__str *s, const char *unit, const sc__cron_values *values)
{
    int every;

    if (values->count == 60) {
        sc__str_printf(s, "Every %s", unit);
        return true;
    }
    if (!sc__cron_is_cycle(values, 60, &every) || (values->of[0] && values->count <= TIMES_MAX)) {
        say_of_unit(s, "At ", unit, values);
        return false;
    }
    sc__str_printf(s, "Every %d %ss", every, unit);
    if (values->of[0])
        sc__str_printf(s, " from %s %d on", unit, values->of[0]);
    return true;
}

static void say_minutes_behind(sc__str *s, const sc__cron_values *minutes, bool is_every)
{
    if (minutes->count < 60)
        say_of_unit(s, is_every ? " in " : " of ", "minute", minutes);
    else if (!is_every)
        sc__str_text(s, " of every minute");
}

/* `is_every`: something happens all through these hours; else it's at some minutes of each. */
static void say_hours(sc__str *s, const sc__cron_values *hours, bool is_every)
{
    int first = hours->of[0], last = hours->of[hours->count - 1], every;

    if (hours->count == 24) {
        sc__str_text(s, is_every ? "" : " of every hour");
    } else if (sc__cron_is_cycle(hours, 24, &every)) {
        sc__str_text(s, is_every ? " in every " : " of every ");
        sc__cron_say_ordinal(s, every);
        sc__str_printf(s, " hour from %02d:00 on", first);
    } else if (is_every && last - first + 1 == hours->count) {
        sc__str_printf(s, " from %02d:00 to %02d:59", first, last);
    } else {
        say_of_unit(s, is_every ? " in " : " of ", "hour", hours);
    }
}

/* True when it was said as times of a day. */
static bool say_times(sc__str *s, const struct times *t)
{
    bool is_every;

    if (t->hours.count * t->minutes.count * t->seconds.count <= TIMES_MAX) {
        say_all_times(s, t);
        return true;
    }
    is_every = say_first(s, t->on_the_minute ? "minute" : "second",
                         t->on_the_minute ? &t->minutes : &t->seconds);
    if (!t->on_the_minute) {
        say_minutes_behind(s, &t->minutes, is_every);
        is_every = t->minutes.count == 60;
    }
    say_hours(s, &t->hours, is_every);
    return false;
}

sc_err sc_cron_explain(sc_slice text, const sc_cron_opts *opts, char **ret_text,
                       sc_cron_error *ret_error)
{
    sc_cron cron = {0};
    sc__cron_parser p = {.cron = &cron, .error = ret_error};
    sc_err err = sc__cron_read(text, opts, &p);
    AUTO_STR s = STR_MAX(TEXT_MAX);
    struct times times;

    if (err)
        return err;
    times = (struct times){sc__cron_values_of(cron.seconds), sc__cron_values_of(cron.minutes),
                           sc__cron_values_of(cron.hours), cron.seconds == 1};
    sc__cron_say_dates(&s, &p.days, cron.years, say_times(&s, &times));
    return sc__str_take(&s, ret_text);
}
