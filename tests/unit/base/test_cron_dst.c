/* base/cron_bullmq.c, and the modes of base/cron.c where clocks change; cron_parser.cases has what cron-parser answers */
#include "base/cron.h"
#include "cron_fixture.h"

/* Cases of another file, when one is named: bench/cron_cases.mjs makes a million. */
static FILE *open_cases(void)
{
    const char *other = getenv("CRON_PARSER_CASES");
    FILE *f = fopen(other ? other : SC_SOURCE_DIR "/tests/unit/base/cron_parser.cases", "r");

    assert_non_null(f);
    return f;
}

/* Whether cron-parser refuses it, by our linter; true for what we refuse ourselves, too. */
static bool is_refused(const char *text, const sc_cron_opts *opts)
{
    static sc_cron_warnings warnings;

    if (sc_cron_lint(sc_slice_of(text), opts, NULL, 0, &warnings, NULL))
        return true;
    for (size_t i = 0; i < warnings.count; i++)
        if (!strcmp(warnings.items[i].name, "not-bullmq"))
            return true;
    return false;
}

static bool check_refused(const char *text, const char *seed, bool refused)
{
    const sc_cron_opts opts = {
        .dst = SC_CRON_DST_BULLMQ, .allow_short = true, .hash_seed = sc_slice_of(seed)};

    if (is_refused(text, &opts) == refused)
        return true;
    print_message("%s: cron-parser %s it\n", text, refused ? "refuses" : "reads");
    return false;
}

/* "expression | zone | from | next", where "-" means: as by the rules of Vixie cron, and "=seed" is for H. */
static bool check_row(char **parts)
{
    const bool hashed = parts[1][0] == '=', same = strcmp(parts[3], "-") != 0;
    const sc_cron_opts opts = {.dst = same ? SC_CRON_DST_BULLMQ : SC_CRON_DST_VIXIE,
                               .allow_short = true,
                               .hash_seed = sc_slice_of(hashed ? parts[1] + 1 : "")};
    sc_zone *zone;
    int64_t from = date(parts[2]), got = INT64_MIN, want = INT64_MIN;
    sc_cron_error error = {.text = ""};
    sc_cron *cron = NULL;

    if (!strcmp(parts[3], "refused"))
        return check_refused(parts[0], parts[1] + 1, true);
    if (hashed && !check_refused(parts[0], parts[1] + 1, false))
        return false;
    zone = zone_named(hashed ? "UTC" : parts[1]);
    if (sc_cron_parse(sc_slice_of(parts[0]), &opts, &cron, &error) == SC_OK) {
        got = next_of(cron, zone, from);
        cron->dst = SC_CRON_DST_BULLMQ;
        want = same ? date(parts[3]) : next_of(cron, zone, from);
    }
    if (!cron || got != want)
        print_message("%s | %s | %s: got %lld instead of %s (%lld) %s\n", parts[0], parts[1],
                      parts[2], (long long)got, parts[3], (long long)want, error.text);
    sc_cron_free(cron);
    sc_zone_close(zone);
    return got == want && want != INT64_MIN;
}

TEST_LIMIT(bullmq_mode_and_h_answer_what_cron_parser_does, 300)
{
    FILE *f = open_cases();
    char line[2048];
    int rows = 0, wrong = 0;

    while (fgets(line, sizeof(line), f) && wrong < 50) {
        char *parts[4];

        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '#')
            continue;
        assert_int_equal(cut(line, parts, 4), 4);
        wrong += !check_row(parts);
        rows++;
    }
    fclose(f);

    assert_int_equal(wrong, 0);
    assert_true(rows > 1500);
}

/* The next two runs after `from`. */
static void check_mode(sc_cron_dst dst, const char *text, const char *zone_name, const char *from,
                       const char *first, const char *second)
{
    sc_cron *cron = parse_with(text, &(sc_cron_opts){.dst = dst});
    sc_zone *zone = zone_named(zone_name);
    char got[2][SC__ISO8601_LEN + 1];
    int64_t at = date(from);

    for (int i = 0; i < 2; i++) {
        at = next_of(cron, zone, at);
        sc__iso8601_text(at, false, got[i]);
    }
    assert_string_equal(got[0], first);
    assert_string_equal(got[1], second);
    sc_zone_close(zone);
    sc_cron_free(cron);
}

TEST(skip_mode_leaves_out_what_does_not_exist_and_repeats_nothing)
{
    const sc_cron_dst skip = SC_CRON_DST_SKIP;

    check_mode(skip, "30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z",
               "2026-03-09T06:30:00Z", "2026-03-10T06:30:00Z");
    check_mode(skip, "0 0 * * *", "Africa/Cairo", "2026-04-22T23:00:00Z", "2026-04-24T21:00:00Z",
               "2026-04-25T21:00:00Z");
    check_mode(skip, "30 1 * * *", "America/New_York", "2026-11-01T03:30:00Z",
               "2026-11-01T05:30:00Z", "2026-11-02T06:30:00Z");
    check_mode(skip, "*/30 1 * * *", "America/New_York", "2026-11-01T05:00:00Z",
               "2026-11-01T05:30:00Z", "2026-11-01T06:00:00Z");
    check_mode(skip, "0 */2 * * *", "America/New_York", "2026-03-08T05:30:00Z",
               "2026-03-08T08:00:00Z", "2026-03-08T10:00:00Z");
}

TEST(bullmq_mode_goes_on_where_cron_parser_does_not)
{
    const sc_cron_dst bullmq = SC_CRON_DST_BULLMQ;

    check_mode(bullmq, "30 2 * * *", "America/New_York", "2026-03-08T00:00:00Z",
               "2026-03-08T07:30:00Z", "2026-03-09T06:30:00Z");
    /* Years are none of its fields. */
    check_mode(bullmq, "0 30 2 * * * 2030", "America/New_York", "2026-03-08T00:00:00Z",
               "2030-01-01T07:30:00Z", "2030-01-02T07:30:00Z");
    check_mode(bullmq, "0 30 2 * * * 2026,2199", "America/New_York", "2026-12-31T12:00:00Z",
               "2199-01-01T07:30:00Z", "2199-01-02T07:30:00Z");
}

static const char *const hard_zones[] = {
    "America/New_York", "Australia/Lord_Howe", "Pacific/Chatham",  "Africa/Cairo",
    "America/Nuuk",     "Pacific/Apia",        "Antarctica/Troll", "Africa/Casablanca"};

TEST_LIMIT(every_mode_moves_on_around_every_change_of_clocks, 120)
{
    static const char *const texts[] = {"30 2 * * *", "*/15 * * * *", "0 0 * * *",
                                        "30 0-22/2 * * *"};

    for (size_t t = 0; t < sizeof(texts) / sizeof(*texts); t++)
        for (int dst = SC_CRON_DST_VIXIE; dst <= SC_CRON_DST_BULLMQ; dst++) {
            sc_cron *cron = parse_with(texts[t], &(sc_cron_opts){.dst = (sc_cron_dst)dst});

            for (size_t z = 0; z < sizeof(hard_zones) / sizeof(*hard_zones); z++) {
                sc_zone *zone = zone_named(hard_zones[z]);

                for (size_t i = 0; i < zone->count && zone->at_s[i] < 2145916800; i++)
                    for (int off = -9; zone->at_s[i] > 0 && off <= 9; off++) {
                        int64_t at = zone->at_s[i] * 1000 + off * 1234567;
                        int64_t next = next_of(cron, zone, at);

                        assert_true(next > at && next < at + 72 * 3600 * 1000);
                    }
                sc_zone_close(zone);
            }
            sc_cron_free(cron);
        }
}
