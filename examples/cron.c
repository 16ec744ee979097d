/* A cron expression in words, what may be wrong with it, and its next five runs. Needs no Redis.
 *
 *   cron '30 2 * * *' Europe/Berlin */
#include <stdio.h>
#include <storychain/cron.h>
#include <time.h>

static sc_slice slice(const char *text)
{
    return (sc_slice){text, strlen(text)};
}

static void print_words(const char *expression, const sc_zone *zone, int64_t now_ms)
{
    static sc_cron_warnings warnings;
    char *words;

    if (sc_cron_explain(slice(expression), NULL, &words, NULL) == SC_OK) {
        puts(words);
        sc_free(words);
    }
    if (sc_cron_lint(slice(expression), NULL, zone, now_ms, &warnings, NULL) == SC_OK)
        for (size_t i = 0; i < warnings.count; i++)
            printf("warning: %s\n", warnings.items[i].text);
}

static void print_runs(const sc_cron *cron, const sc_zone *zone, int64_t at_ms)
{
    for (int i = 0; i < 5 && sc_cron_next(cron, zone, at_ms, &at_ms) == SC_OK; i++) {
        const char *mark = sc_cron_mark_text(sc_cron_mark_of(cron, zone, at_ms));
        sc_local_time t;

        sc_zone_local(zone, at_ms, &t);
        printf("%04d-%02d-%02d %02d:%02d:%02d %s%s%s\n", t.year, t.month, t.day, t.hour, t.minute,
               t.second, t.abbreviation, *mark ? "  " : "", mark);
    }
}

int main(int argc, char **argv)
{
    const char *expression = argc > 1 ? argv[1] : "30 2 * * *";
    int64_t now_ms = (int64_t)time(NULL) * 1000;
    sc_cron_error error;
    sc_reason reason;
    sc_zone *zone;
    sc_cron *cron;

    if (sc_zone_open(slice(argc > 2 ? argv[2] : "Europe/Berlin"), &zone, &reason)) {
        fprintf(stderr, "%s\n", reason.text);
        return 1;
    }
    if (sc_cron_parse(slice(expression), NULL, &cron, &error)) {
        fprintf(stderr, "%s\n", error.text);
        sc_zone_close(zone);
        return 1;
    }
    print_words(expression, zone, now_ms);
    print_runs(cron, zone, now_ms);
    sc_cron_free(cron);
    sc_zone_close(zone);
    return 0;
}
