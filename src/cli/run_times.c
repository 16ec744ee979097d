#include "run_times.h"

#include "base/iso8601.h"
#include "connect.h"

/* "2026-03-29T03:00:00+02:00" */
static const char *local_text(const sc_local_time *t, char out[48])
{
    int offset = t->offset_s < 0 ? -t->offset_s : t->offset_s;

    snprintf(out, 48, "%04d-%02d-%02dT%02d:%02d:%02d%c%02d:%02d", t->year, t->month, t->day,
             t->hour, t->minute, t->second, t->offset_s < 0 ? '-' : '+', offset / 3600,
             offset / 60 % 60);
    return out;
}

json_t *run_time_shape(const sc_cron *cron, const sc_zone *zone, int64_t run_ms)
{
    sc_cron_mark mark = sc_cron_mark_of(cron, zone, run_ms);
    char utc[SC__ISO8601_LEN + 1], local[48];
    sc_local_time there;

    sc__iso8601_text(run_ms, false, utc);
    sc_zone_local(zone, run_ms, &there);
    return json_pack("{sI, ss, ss, ss, so}", "ms", (json_int_t)run_ms, "utc", utc, "local",
                     local_text(&there, local), "abbreviation", there.abbreviation, "mark",
                     mark ? json_string(sc_cron_mark_text(mark)) : json_null());
}

static void print_run(const sc_cron *cron, const sc_zone *zone, int64_t run_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    const char *mark = sc_cron_mark_text(sc_cron_mark_of(cron, zone, run_ms));
    char utc[SC__ISO8601_LEN + 1];
    sc_local_time t;

    sc__iso8601_text(run_ms, false, utc);
    fputs(utc, stdout);
    if (zone && strcmp(sc_zone_name(zone), "UTC") != 0) {
        sc_zone_local(zone, run_ms, &t);
        printf("  %s %04d-%02d-%02d %02d:%02d:%02d %s", days[t.weekday], t.year, t.month, t.day,
               t.hour, t.minute, t.second, t.abbreviation);
    }
    printf("%s%s\n", *mark ? "  " : "", mark);
}

int run_times_print(struct cli *cli, const sc_cron *cron, const sc_zone *zone,
                    const sc_cron_exclusions *exclusions, int64_t after_ms, int64_t count)
{
    AUTO_JSON *times = json_array();

    for (int64_t i = 0; i < count; i++) {
        sc_err err = sc_cron_next_except(cron, zone, exclusions, after_ms, &after_ms);

        if (err == SC_ENOTFOUND && i > 0)
            break;
        if (err == SC_ENOTFOUND)
            return cli_fail(cli, EXIT_NOT_FOUND, "there is no such time before the year 2200");
        if (err)
            return cli_fail_err(cli, err, NULL, NULL);
        if (cli->json)
            json_array_append_new(times, run_time_shape(cron, zone, after_ms));
        else
            print_run(cron, zone, after_ms);
    }
    return cli->json ? cli_print_json(cli, json_incref(times)) : EXIT_OK;
}
