/* base/cron.c, base/cron_parse.c, base/cron_days.c, base/cron_hash.c; the cases are in cron.cases */
#include <pthread.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/tz.h"
#include "cron_fixture.h"

static int check_times(const char *line, char **parts)
{
    sc_cron *cron = parse(parts[0]);
    sc_zone *zone = zone_named(parts[1]);
    int64_t at = date(parts[2]);
    char *save = NULL;
    int wrong = 0;

    for (char *want = strtok_r(parts[3], " ", &save); want && !wrong;
         want = strtok_r(NULL, " ", &save)) {
        char got[SC__ISO8601_LEN + 1] = "none";

        if (sc_cron_next(cron, zone, at, &at) == SC_OK)
            sc__iso8601_text(at, false, got);
        wrong = strcmp(got, want) != 0;
        if (wrong)
            print_message("%s: got %s instead of %s\n", line, got, want);
    }
    sc_zone_close(zone);
    sc_cron_free(cron);
    return wrong;
}

static int check_refusal(const char *line, char **parts)
{
    const char *text = strcmp(parts[0], "!") == 0 ? "" : parts[0] + 2;
    sc_cron_error error = {0};
    sc_cron *cron = NULL;

    if (sc_cron_parse(sc_slice_of(text), &seeded, &cron, &error) == SC_ESYNTAX &&
        strcmp(error.field, parts[1]) == 0 && error.column == atoi(parts[2]) &&
        strstr(error.text, parts[3]) && strncmp(error.text, parts[1], strlen(parts[1])) == 0)
        return 0;
    print_message("%s: got %s\n", line, cron ? "no error" : error.text);
    sc_cron_free(cron);
    return 1;
}

TEST(all_cases_of_the_data_file_hold)
{
    FILE *f = fopen(SC_SOURCE_DIR "/tests/unit/base/cron.cases", "r");
    char line[2048], copy[2048];
    int rows = 0, wrong = 0;

    assert_non_null(f);
    while (fgets(line, sizeof(line), f)) {
        char *parts[4];

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#' || line[0] == '\0')
            continue;
        memcpy(copy, line, sizeof(copy));
        assert_int_equal(cut(copy, parts, 4), 4);
        wrong += line[0] == '!' ? check_refusal(line, parts) : check_times(line, parts);
        rows++;
    }
    fclose(f);

    assert_int_equal(wrong, 0);
    assert_true(rows > 150);
}

TEST(bytes_that_are_not_plain_text_and_long_texts_are_refused)
{
    static char blank[1025];
    sc_cron_error error;
    sc_cron *cron = NULL;

    assert_err(sc_cron_parse((sc_slice){"* * *\0* *", 9}, NULL, &cron, &error), SC_ESYNTAX);
    assert_int_equal(error.column, 6);
    assert_err(sc_cron_parse(SC_S("* * * * \xc3\xa4"), NULL, &cron, &error), SC_ESYNTAX);
    assert_int_equal(error.column, 9);
    memset(blank, ' ', sizeof(blank));
    assert_err(sc_cron_parse((sc_slice){blank, 1025}, NULL, &cron, &error), SC_ETOOBIG);
    assert_err(sc_cron_parse((sc_slice){blank, 1024}, NULL, &cron, &error), SC_ESYNTAX);
    memcpy(blank, "* * * * *", 9);
    assert_ok(sc_cron_parse((sc_slice){blank, 1024}, NULL, &cron, NULL));
    sc_cron_free(cron);
}

TEST(h_needs_a_seed_and_moves_with_it)
{
    sc_cron_error error;
    sc_cron *cron = NULL, *other = NULL;
    int64_t a = 0, b = 0;

    assert_err(sc_cron_parse(SC_S("H * * * *"), NULL, &cron, &error), SC_ESYNTAX);
    assert_non_null(strstr(error.text, "seed"));

    cron = parse("H H * * *");
    assert_ok(sc_cron_parse(SC_S("H H * * *"),
                            &(sc_cron_opts){.hash_seed = SC_S("n\xc3\xa4"
                                                              "chtlich \xf0\x9f\x98\x80")},
                            &other, NULL));
    assert_ok(sc_cron_next(cron, NULL, 0, &a));
    assert_ok(sc_cron_next(other, NULL, 0, &b));
    assert_true(a != b);
    sc_cron_free(cron);
    sc_cron_free(other);
}

TEST(short_forms_are_read_as_bullmq_does_when_asked_for)
{
    static const struct {
        const char *text, *next;
    } rows[] = {
        {"", "2026-01-01T00:01:00Z"},
        {"*", "2026-01-01T00:01:00Z"},
        {"5 *", "2026-05-01T00:00:00Z"},
        {"12 * * *", "2026-01-01T12:00:00Z"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        sc_cron *cron = NULL;
        int64_t next = 0;

        assert_ok(sc_cron_parse(sc_slice_of(rows[i].text), &(sc_cron_opts){.allow_short = true},
                                &cron, NULL));
        assert_ok(sc_cron_next(cron, NULL, date("2026-01-01T00:00:00Z"), &next));
        assert_true(next == date(rows[i].next));
        sc_cron_free(cron);
    }
}

TEST(every_is_read_as_an_interval)
{
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"@every 90s", 90000},
        {" @EVERY  1h30m\n", 5400000},
        {"@every 1d2h3m4s5ms", 93784005},
        {"@every 1ms", 1},
        {"@every 36600d", 36600 * 86400000ll},
    };
    static const char *const wrong[] = {
        "@every",      "@every 90",     "@every s",         "@every 90s5",
        "@every 1.5h", "@every -1s",    "@every 0s",        "@every 5 s",
        "@every 1w",   "@every 36601d", "@every 36600d1ms", "@every 99999999999999999999s",
    };
    sc_cron_error error;
    int64_t ms;

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        assert_ok(sc_cron_every(sc_slice_of(rows[i].text), &ms, NULL));
        assert_true(ms == rows[i].ms);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_err(sc_cron_every(sc_slice_of(wrong[i]), &ms, &error), SC_ESYNTAX);
        assert_non_null(strstr(error.text, "expected a time like 90s"));
    }
    assert_err(sc_cron_every((sc_slice){"@every 1h\0", 10}, &ms, NULL), SC_ESYNTAX);
    assert_err(sc_cron_every(SC_S("@everyone 5s"), &ms, NULL), SC_ENOTFOUND);
    assert_err(sc_cron_every(SC_S("* * * * *"), &ms, NULL), SC_ENOTFOUND);
    assert_err(sc_cron_every(SC_S(""), &ms, NULL), SC_ENOTFOUND);
}

TEST(times_beyond_the_years_of_cron_have_no_next)
{
    sc_cron *cron = parse("* * * * * *");
    int64_t next = -1;

    assert_err(sc_cron_next(cron, NULL, INT64_MAX, &next), SC_ENOTFOUND);
    assert_err(sc_cron_next(cron, NULL, date("2199-12-31T23:59:59Z"), &next), SC_ENOTFOUND);
    assert_true(next == -1);
    assert_ok(sc_cron_next(cron, NULL, INT64_MIN, &next));
    assert_true(next == 0);
    assert_ok(sc_cron_next(cron, NULL, 1, &next));
    assert_true(next == 1000);
    assert_ok(sc_cron_next(cron, NULL, -1, &next));
    assert_true(next == 0);
    sc_cron_free(cron);
}

static void *run_through(void *arg)
{
    const void *const *with = arg;
    int64_t t = 1700000000000, sum = 0;

    for (int i = 0; i < 20000; i++)
        sum += t = next_of(with[0], with[1], t);
    return (void *)(intptr_t)sum;
}

TEST(threads_share_an_expression_and_a_zone)
{
    sc_cron *cron = parse("*/7 1-5 * * 1-6");
    sc_zone *zone = zone_named("Australia/Lord_Howe");
    const void *with[] = {cron, zone};
    pthread_t threads[4];
    void *expected = run_through(with), *got;

    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_through, with), 0);

    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], &got);
        assert_ptr_equal(got, expected);
    }
    sc_zone_close(zone);
    sc_cron_free(cron);
}

static size_t allocations;

static void *counting_malloc(size_t size)
{
    allocations++;
    return malloc(size);
}

TEST(next_allocates_nothing)
{
    const sc_slice except = SC_S("* * * * 0");
    sc_cron_exclusions *exclusions;
    sc_cron *cron, *bullmq;
    sc_zone *zone;
    size_t before;
    int64_t next;

    sc_set_allocator(&(sc_allocator){counting_malloc, realloc, free});
    cron = parse("0 0 29 2 *");
    bullmq = parse_with("30 2 * * *", &(sc_cron_opts){.dst = SC_CRON_DST_BULLMQ});
    zone = zone_named("Europe/Berlin");
    assert_ok(sc_cron_exclusions_parse(&except, 1, &exclusions, NULL, NULL));
    before = allocations;

    for (int64_t t = 0; t < 4000000000000; t = next_of(cron, zone, t))
        assert_ok(sc_cron_next_except(bullmq, zone, exclusions, t, &next));

    assert_true(before > 0);
    assert_int_equal(allocations, before);
    sc_cron_exclusions_free(exclusions);
    sc_zone_close(zone);
    sc_cron_free(bullmq);
    sc_cron_free(cron);
}

TEST(no_expression_is_slow)
{
    static const char *const slow[] = {"0 0 29 2 *",       "0 0 * 2 1#5",
                                       "0 0 29 2 +0",      "0 0 0 29 2 +6 2100-2199",
                                       "0 0 0 1 1 * 2199", "59 59 23 31 12 0 2199"};
    sc_zone *zone = zone_named("America/New_York");

    for (size_t i = 0; i < sizeof(slow) / sizeof(*slow); i++) {
        sc_cron *cron = parse(slow[i]);
        int64_t began = sc__mono_ns();

        for (int64_t n = 0; n < 2000; n++)
            (void)next_of(cron, zone, n * 3600 * 1000);

        /* The bar is 20 µs; sanitizers and a loaded machine take their part. */
        assert_true((sc__mono_ns() - began) / 2000 < 400 * 1000);
        sc_cron_free(cron);
    }
    sc_zone_close(zone);
}
