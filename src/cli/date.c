#include "date.h"

#include <stdio.h>
#include <string.h>

#include <storychain/cron.h>

#include "base/iso8601.h"

enum { DATE_LEN = 10, DAY_MS = 24 * 3600 * 1000 };

/* A 'Z' or an offset behind the date. */
static bool has_zone(const char *text)
{
    return strlen(text) > DATE_LEN && strpbrk(text + DATE_LEN, "Zz+-") != NULL;
}

/* The moment of a local time, by the rules of a schedule that runs once at it. */
static sc_err moment_of(const sc__iso8601_local *local, const sc_zone *zone, int64_t *ret_ms)
{
    char expression[64];
    sc_cron *cron;
    sc_err err;

    snprintf(expression, sizeof(expression), "%d %d %d %d %d * %d", local->second, local->minute,
             local->hour, local->day, local->month, local->year);
    err = sc_cron_parse(sc_slice_of(expression), NULL, &cron, NULL);
    if (err)
        return err;
    err = sc_cron_next(cron, zone, local->utc_ms - 2 * DAY_MS, ret_ms);
    sc_cron_free(cron);
    return err;
}

static sc_err read_local(const char *text, sc_slice tz, int64_t *ret_ms, sc_reason *ret_reason)
{
    sc__iso8601_local local;
    sc_zone *zone;
    sc_err err = sc__iso8601_parse_local(sc_slice_of(text), &local, ret_reason);

    if (!err)
        err = sc_zone_open(tz, &zone, ret_reason);
    if (err)
        return err;
    err = moment_of(&local, zone, ret_ms);
    if (err)
        snprintf(ret_reason->text, sizeof(ret_reason->text), "there is no %s in %s", text,
                 sc_zone_name(zone));
    sc_zone_close(zone);
    return err;
}

bool cli_date(const struct cli *cli, const char *what, const char *text, sc_slice tz,
              int64_t *ret_ms)
{
    sc_reason reason = {""};
    sc_err err = has_zone(text) ? sc__iso8601_parse(sc_slice_of(text), ret_ms, &reason)
                                : read_local(text, tz, ret_ms, &reason);

    if (err)
        cli_fail(cli, EXIT_USAGE, "%s: %s", what, reason.text);
    return !err;
}
