/* Our side of the cron benchmark; bench/README.md has the commands. */
#include <storychain/cron.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define FIRST_MS 1767225600000 /* 2026-01-01 */
#define LAST_MS 2840140800000  /* 2060-01-01 */

enum { CALLS = 1000, TIMES = 2000, TRIES = 5 };

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void die(const char *what)
{
    fprintf(stderr, "bench-cron-peer: %s\n", what);
    exit(1);
}

static sc_cron *parse(const char *text, sc_cron_dst dst)
{
    const sc_cron_opts opts = {.dst = dst};
    sc_cron_error error = {.text = ""};
    sc_cron *cron;

    if (sc_cron_parse((sc_slice){text, strlen(text)}, &opts, &cron, &error))
        die(error.text);
    return cron;
}

static sc_zone *zone_named(const char *name)
{
    sc_reason reason = {""};
    sc_zone *zone;

    if (sc_zone_open((sc_slice){name, strlen(name)}, &zone, &reason))
        die(reason.text);
    return zone;
}

/* One run after the other from 2026 to 2060, and again. */
static void run_next(const sc_cron *cron, const sc_zone *zone)
{
    static int64_t at = FIRST_MS;

    for (int i = 0; i < CALLS; i++)
        if (sc_cron_next(cron, zone, at, &at) || at > LAST_MS)
            at = FIRST_MS;
}

static void run_parse(const char *text, const sc_zone *zone)
{
    for (int i = 0; i < CALLS; i++) {
        sc_cron *cron = parse(text, SC_CRON_DST_VIXIE);
        int64_t at;

        if (sc_cron_next(cron, zone, FIRST_MS, &at))
            die("no next time");
        sc_cron_free(cron);
    }
}

static void measure(bool parses, const char *text, const char *zone_name, double secs)
{
    sc_cron *cron = parse(text, SC_CRON_DST_VIXIE);
    sc_zone *zone = zone_named(zone_name);
    int64_t began = cpu_ns(), ended;
    int64_t calls = 0;

    do {
        if (parses)
            run_parse(text, zone);
        else
            run_next(cron, zone);
        calls += CALLS;
        ended = cpu_ns();
    } while (ended - began < (int64_t)(secs * 1e9));
    printf("{\"per_s\":%.0f}\n", (double)calls * 1e9 / (double)(ended - began));
    sc_zone_close(zone);
    sc_cron_free(cron);
}

/* The least time of a few tries: what the call itself takes, whatever else the machine does. */
static int64_t least_ns(const sc_cron *cron, const sc_zone *zone, int64_t at_ms)
{
    int64_t least = INT64_MAX, next;

    for (int i = 0; i < TRIES; i++) {
        int64_t began = cpu_ns(), took;

        if (sc_cron_next(cron, zone, at_ms, &next) == SC_EINVAL)
            die("not a time");
        took = cpu_ns() - began;
        least = took < least ? took : least;
    }
    return least;
}

/* The slowest call of many expressions in a zone, at times from 1970 to 2199, around changes of clocks and anywhere. */
static int64_t worst_in(const sc_zone *zone, sc_cron_dst dst)
{
    static const char *const texts[] = {
        "* * * * * *",
        "*/5 * * * *",
        "30 2 * * *",
        "0 0 29 2 *",
        "0 0 29 2 +0",
        "0 0 * 2 1#5",
        "0 0 1W 1 *",
        "30 2 L * *",
        "*/15 2 * * *",
        "0 0 0 29 2 +6 2100-2199",
        "0 0 31 12 +1",
        "0 0 0 1 1 * 2199",
        "59 59 23 31 12 0 2199",
        "30 2 29 2 +3",
    };
    int64_t worst = 0;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        sc_cron *cron = parse(texts[i], dst);

        for (int64_t n = 0; n < TIMES; n++) {
            int64_t took = least_ns(cron, zone, n * (7258118400000 / TIMES) + n % 24 * 3600000);

            worst = took > worst ? took : worst;
        }
        sc_cron_free(cron);
    }
    return worst;
}

static void print_worst(void)
{
    static const char *const zones[] = {"UTC",
                                        "America/New_York",
                                        "Europe/Berlin",
                                        "Pacific/Chatham",
                                        "Australia/Lord_Howe",
                                        "Africa/Casablanca",
                                        "America/Santiago",
                                        "Asia/Gaza",
                                        "Pacific/Apia"};
    int64_t worst = 0;

    for (size_t i = 0; i < sizeof(zones) / sizeof(*zones); i++) {
        sc_zone *zone = zone_named(zones[i]);

        for (int dst = SC_CRON_DST_VIXIE; dst <= SC_CRON_DST_BULLMQ; dst++) {
            int64_t took = worst_in(zone, (sc_cron_dst)dst);

            worst = took > worst ? took : worst;
        }
        sc_zone_close(zone);
    }
    printf("{\"us\":%.2f}\n", (double)worst / 1000);
}

int main(int argc, char **argv)
{
    if (argc == 2 && !strcmp(argv[1], "worst"))
        print_worst();
    else if (argc == 5 && (!strcmp(argv[1], "next") || !strcmp(argv[1], "parse")))
        measure(argv[1][0] == 'p', argv[2], argv[3], atof(argv[4]));
    else
        die("next|parse EXPRESSION ZONE SECONDS, or worst");
    return 0;
}
