/* Cron expressions, zone names and zone files of any bytes. The first byte chooses. */
#include <stdlib.h>

#include "base/tz.h"

static void must(bool good)
{
    if (!good)
        abort();
}

/* Whatever was parsed has a next time that is pure, or none. */
static void check(const sc_cron *cron, const sc_zone *zone, bool pure)
{
    int64_t at = 1774659600123;

    for (int i = 0; i < 8; i++) {
        int64_t next = 0, again = 0;

        if (sc_cron_next(cron, zone, at, &next))
            return;
        must(next > at && next % 1000 == 0);
        must(sc_cron_next(cron, zone, at + (next - at) / 2, &again) == SC_OK &&
             (again == next || !pure));
        at = next;
    }
}

static void expression(sc_slice text, const sc_zone *zone)
{
    const sc_cron_opts opts = {.hash_seed = SC_S("seed"),
                               .allow_short = text.len % 2,
                               .dst = (sc_cron_dst)(text.len / 2 % 3)};
    sc_cron_error error = {0};
    sc_cron *cron = NULL;

    if (sc_cron_parse(text, &opts, &cron, &error)) {
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
    int64_t next = 1774659600123;

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
    return 0;
}
