/* Cron expressions, zone names and zone files of any bytes. The first byte chooses. */
#include <stdlib.h>
#include <time.h>

#include "base/tz.h"

static const int64_t from_ms = 1774659600123; /* 2026-03-28, a day before clocks change */

/* CPU time of one input, with room for sanitizers: no search may go on for long. */
enum { INPUT_MS = 1000 };

static int64_t cpu_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void must(bool good)
{
    if (!good)
        abort();
}

/* Whatever was parsed has a next time that is pure, or none. */
static void check(const sc_cron *cron, const sc_zone *zone, bool pure)
{
    int64_t at = from_ms;

    for (int i = 0; i < 8; i++) {
        int64_t next = 0, again = 0;

        if (sc_cron_next(cron, zone, at, &next))
            return;
        must(next > at && next % 1000 == 0);
        must(sc_cron_mark_text(sc_cron_mark_of(cron, zone, next)) != NULL);
        must(sc_cron_next(cron, zone, at + (next - at) / 2, &again) == SC_OK &&
             (again == next || !pure));
        at = next;
    }
}

/* What can be parsed can be said and looked at, and nothing else can. */
static void words(sc_slice text, const sc_cron_opts *opts, const sc_zone *zone, bool good)
{
    static sc_cron_warnings warnings;
    sc_cron_error error = {0};
    char *said = NULL;

    must((sc_cron_explain(text, opts, &said, &error) == SC_OK) == good);
    must(!good || said[0]);
    sc_free(said);
    must((sc_cron_lint(text, opts, zone, from_ms, &warnings, &error) == SC_OK) == good);
    for (size_t i = 0; good && i < warnings.count; i++)
        must(warnings.items[i].column >= 1 && warnings.items[i].text[0]);
}

/* The text as what is excluded of every minute: a run is none of it. */
static void exclusion(sc_slice text, const sc_zone *zone)
{
    sc_cron_exclusions *all = NULL;
    sc_cron *cron = NULL;
    int64_t next;

    if (sc_cron_exclusions_parse(&text, 1, &all, NULL, NULL))
        return;
    must(sc_cron_parse(SC_S("*/10 * * * *"), NULL, &cron, NULL) == SC_OK);
    if (sc_cron_next_except(cron, zone, all, from_ms, &next) == SC_OK)
        must(next > from_ms && !sc_cron_excludes(all, zone, next));
    sc_cron_free(cron);
    sc_cron_exclusions_free(all);
}

static void expression(sc_slice text, const sc_zone *zone)
{
    const sc_cron_opts opts = {.hash_seed = SC_S("seed"),
                               .allow_short = text.len % 2,
                               .dst = (sc_cron_dst)(text.len / 2 % 3)};
    sc_cron_error error = {0};
    sc_cron *cron = NULL;
    int64_t every_ms = 1;
    bool good = sc_cron_parse(text, &opts, &cron, &error) == SC_OK;

    words(text, &opts, zone, good);
    exclusion(text, zone);
    if (sc_cron_every(text, &every_ms, NULL) == SC_OK)
        must(!good && every_ms > 0);
    if (!good) {
        must(error.field && error.column >= 1 && error.text[0]);
        return;
    }
    check(cron, zone, opts.dst != SC_CRON_DST_BULLMQ);
    check(cron, NULL, true);
    sc_cron_free(cron);
}

static void zone_file(sc_slice bytes)
{
    sc_zone *zone = NULL;
    sc_local_time local;
    sc_cron *cron = NULL;
    int64_t next = from_ms;

    if (sc__tzif_parse(bytes, &zone))
        return;
    for (int64_t at = -4000000000000; at < 9000000000000; at += 777777777777)
        sc_zone_local(zone, at, &local);
    if (sc_cron_parse(SC_S("30 2 * * *"), NULL, &cron, NULL) == SC_OK)
        for (int i = 0; i < 8 && sc_cron_next(cron, zone, next, &next) == SC_OK; i++)
            ;
    sc_cron_free(cron);
    sc_zone_close(zone);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static sc_zone *troll;
    sc_slice rest = {(const char *)data + 1, size ? size - 1 : 0};
    const int64_t began_ms = cpu_ms();
    sc_zone *zone = NULL;

    if (!size)
        return 0;
    if (!troll && sc_zone_open(SC_S("Antarctica/Troll"), &troll, NULL))
        return 0;
    switch (data[0] % 4) {
    case 0:
        zone_file(rest);
        break;
    case 1:
        if (sc_zone_open(rest, &zone, NULL) == SC_OK)
            sc_zone_close(zone);
        break;
    default:
        expression(rest, troll);
    }
    must(cpu_ms() - began_ms < INPUT_MS);
    return 0;
}
