/* What is unusual about a run: clocks change around it. */
#include "cron.h"
#include "tz.h"

static sc_cron_mark pass_of(const sc_zone *zone, int64_t at_s)
{
    sc__zone_span span = sc__zone_span_at(zone, at_s), other;

    if (span.until_s < INT64_MAX) {
        other = sc__zone_span_after(zone, &span);
        if (at_s + span.offset_s >= span.until_s + other.offset_s)
            return SC_CRON_FIRST_PASS;
    }
    if (span.from_s > INT64_MIN) {
        other = sc__zone_span_at(zone, span.from_s - 1);
        if (at_s + span.offset_s < span.from_s + other.offset_s)
            return SC_CRON_SECOND_PASS;
    }
    return SC_CRON_PLAIN;
}

sc_cron_mark sc_cron_mark_of(const sc_cron *cron, const sc_zone *zone, int64_t run_ms)
{
    int64_t at_s = run_ms / 1000, local_s = at_s + sc__zone_span_at(zone, at_s).offset_s;

    return sc__cron_matches(cron, local_s) ? pass_of(zone, at_s) : SC_CRON_MOVED;
}

const char *sc_cron_mark_text(sc_cron_mark mark)
{
    static const char *const texts[] = {
        [SC_CRON_PLAIN] = "",
        [SC_CRON_MOVED] = "moved: its time does not exist on that day",
        [SC_CRON_FIRST_PASS] = "first pass: clocks go back",
        [SC_CRON_SECOND_PASS] = "second pass: clocks went back",
    };

    return texts[mark];
}
