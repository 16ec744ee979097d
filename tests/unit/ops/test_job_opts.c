#include "ops/job_limits.h"
#include "ops/job_opts.h"

#include "support/test.h"

static char *stored(const sc_job_opts *opts)
{
    sc__str out = STR_MAX(64 * 1024);
    char *text = NULL;

    sc__job_opts_write(&out, opts);
    assert_ok(sc__str_take(&out, &text));
    return text;
}

static void assert_stored(sc_job_opts opts, const char *expected)
{
    char *text;

    assert_ok(sc__job_opts_check(&opts, NULL));
    text = stored(&opts);
    assert_string_equal(text, expected);
    sc_free(text);
}

static sc_job_opts parse(const char *text)
{
    sc_job_opts opts;

    assert_ok(sc__job_opts_parse(sc_slice_of(text), &opts, NULL));
    return opts;
}

TEST(attempts_are_stored_even_when_nothing_was_said)
{
    assert_stored(SC_JOB_OPTS_INIT, "{\"attempts\":0}");
}

TEST(options_are_stored_under_bullmqs_names)
{
    sc_job_opts opts = {
        .id = SC_S("a\"b"),
        .delay_ms = 5000,
        .priority = 7,
        .attempts = 3,
        .backoff = {.kind = SC_BACKOFF_EXPONENTIAL, .delay_ms = 1000, .jitter = 0.1},
        .lifo = true,
        .timestamp_ms = 1732392000000,
        .keep_logs = 20,
        .stack_trace_limit = -1,
        .size_limit = 100,
    };

    assert_stored(
        opts, "{\"attempts\":3,\"delay\":5000,\"priority\":7,\"lifo\":true,\"jobId\":\"a\\\"b\","
              "\"timestamp\":1732392000000,\"backoff\":{\"type\":\"exponential\",\"delay\":1000,"
              "\"jitter\":0.1},\"kl\":20,\"stackTraceLimit\":0,\"sizeLimit\":100}");
}

TEST(deduplication_is_stored_last_and_read_back)
{
    sc_job_opts opts = {
        .dedup = {.id = SC_S("a:\"b"),
                  .ttl_ms = 5000,
                  .extend = true,
                  .replace = true,
                  .reschedule = true,
                  .keep_last_if_active = true},
        .extra = SC_S("{\"de\":{\"id\":\"other\"}}"),
    };
    sc_job_opts read;

    assert_stored(opts, "{\"attempts\":0,\"de\":{\"id\":\"other\"},"
                        "\"de\":{\"id\":\"a:\\\"b\",\"ttl\":5000,\"extend\":true,"
                        "\"replace\":true,\"reschedule\":true,\"keepLastIfActive\":true}}");
    read = parse("{\"de\":{\"id\":\"x\",\"ttl\":7,\"extend\":true,\"replace\":true,"
                 "\"reschedule\":true,\"keepLastIfActive\":true}}");
    assert_slice(read.dedup.id, "x");
    assert_int_equal(read.dedup.ttl_ms, 7);
    assert_true(read.dedup.extend && read.dedup.replace && read.dedup.reschedule &&
                read.dedup.keep_last_if_active);
}

TEST(a_stored_deduplication_without_an_id_is_none)
{
    assert_false(parse("{\"de\":{\"ttl\":7,\"replace\":true}}").dedup.replace);
    assert_false(parse("{\"de\":{\"id\":7,\"replace\":true}}").dedup.replace);
    assert_int_equal(parse("{\"de\":\"x\"}").dedup.id.len, 0);
}

TEST(a_deduplication_needs_an_id_and_a_time_in_range)
{
    static char long_id[4097];
    const sc_dedup bad[] = {
        {.ttl_ms = 1},
        {.replace = true},
        {.keep_last_if_active = true},
        {.id = {long_id, sizeof(long_id)}},
        {.id = SC_S("a"), .ttl_ms = -1},
        {.id = SC_S("a"), .ttl_ms = INT64_MAX},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        sc_reason reason = {""};

        assert_err(sc__job_opts_check(&(sc_job_opts){.dedup = bad[i]}, &reason), SC_EINVAL);
        assert_non_null(strstr(reason.text, "deduplication"));
    }
}

TEST(retention_has_all_of_its_forms)
{
    assert_stored((sc_job_opts){.keep_completed = {.kind = SC_KEEP_NONE},
                                .keep_failed = {.kind = SC_KEEP_ALL}},
                  "{\"attempts\":0,\"removeOnComplete\":true,\"removeOnFail\":false}");
    assert_stored(
        (sc_job_opts){.keep_completed = {.kind = SC_KEEP_SOME, .count = 100, .age_s = -1},
                      .keep_failed = {.kind = SC_KEEP_SOME, .count = -1, .age_s = 60, .limit = 9}},
        "{\"attempts\":0,\"removeOnComplete\":{\"count\":100},\"removeOnFail\":{\"age\":60,"
        "\"limit\":9}}");
}

TEST(extra_members_are_stored_beside_the_others)
{
    assert_stored((sc_job_opts){.extra = SC_S(" {\"tm\":\"x\", \"a\":[1]} ")},
                  "{\"attempts\":0,\"tm\":\"x\", \"a\":[1]}");
    assert_stored((sc_job_opts){.extra = SC_S("{ }")}, "{\"attempts\":0}");
}

TEST(bad_options_are_refused_with_a_reason)
{
    static const sc_job_opts bad[] = {
        {.priority = -1},
        {.priority = SC__PRIORITY_MAX + 1},
        {.delay_ms = -1},
        {.attempts = -1},
        {.timestamp_ms = -1},
        {.stack_trace_limit = -2},
        {.id = {"123", 3}},
        {.id = {"0:1", 3}},
        {.id = {"wait", 4}},
        {.id = {"stalled-check", 13}},
        {.id = {"a:b", 3}},
        {.id = {"a:b:c:d", 7}},
        {.backoff = {.kind = SC_BACKOFF_FIXED, .jitter = 1.5}},
        {.backoff = {.kind = SC_BACKOFF_FIXED, .delay_ms = -1}},
        {.backoff = {.kind = SC_BACKOFF_CUSTOM}},
        {.extra = {"[1]", 3}},
        {.extra = {"{\"a\"", 4}},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        sc_reason reason = {""};

        assert_err(sc__job_opts_check(&bad[i], &reason), SC_EINVAL);
        assert_true(reason.text[0]);
    }
}

TEST(ids_that_bullmq_takes_are_taken)
{
    static const char *const good[] = {"a", "12a", "a-1", "repeat:x:1732392000000", "0a"};

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        sc_job_opts opts = {.id = sc_slice_of(good[i])};

        assert_ok(sc__job_opts_check(&opts, NULL));
    }
}

TEST(what_is_stored_reads_back_the_same)
{
    sc_job_opts opts = {
        .attempts = 3,
        .backoff = {.kind = SC_BACKOFF_FIXED, .delay_ms = 250, .jitter = 0.3},
        .lifo = true,
        .keep_completed = {.kind = SC_KEEP_SOME, .count = 100, .age_s = 86400},
        .keep_failed = {.kind = SC_KEEP_NONE},
        .keep_logs = 5,
        .stack_trace_limit = 2,
    };
    char *text = stored(&opts);
    sc_job_opts read = parse(text);

    assert_memory_equal(&read.keep_completed, &opts.keep_completed, sizeof(opts.keep_completed));
    assert_int_equal(read.attempts, 3);
    assert_int_equal(read.backoff.kind, SC_BACKOFF_FIXED);
    assert_int_equal(read.backoff.delay_ms, 250);
    assert_true(read.backoff.jitter == 0.3);
    assert_true(read.lifo);
    assert_int_equal(read.keep_failed.kind, SC_KEEP_NONE);
    assert_int_equal(read.keep_logs, 5);
    assert_int_equal(read.stack_trace_limit, 2);
    sc_free(text);
}

TEST(forms_that_other_clients_store_are_read)
{
    assert_int_equal(parse("{\"backoff\":500}").backoff.delay_ms, 500);
    assert_int_equal(parse("{\"backoff\":{\"type\":\"mine\",\"delay\":1}}").backoff.kind,
                     SC_BACKOFF_CUSTOM);
    assert_slice(parse("{\"backoff\":{\"delay\":1,\"type\":\"mine\"}}").backoff.custom, "mine");
    assert_int_equal(parse("{\"removeOnComplete\":0}").keep_completed.kind, SC_KEEP_NONE);
    assert_int_equal(parse("{\"removeOnComplete\":-1}").keep_completed.kind, SC_KEEP_ALL);
    assert_int_equal(parse("{\"removeOnComplete\":5}").keep_completed.count, 5);
    assert_int_equal(parse("{\"removeOnComplete\":{}}").keep_completed.kind, SC_KEEP_ALL);
    assert_int_equal(parse("{\"stackTraceLimit\":0}").stack_trace_limit, -1);
    assert_int_equal(parse("{\"attempts\":\"3\",\"lifo\":1,\"backoff\":[],\"kl\":-4}").attempts, 0);
}

TEST(stored_options_that_are_no_object_are_reported)
{
    sc_job_opts opts;

    assert_err(sc__job_opts_parse(SC_S("attempts=3"), &opts, NULL), SC_ESYNTAX);
    assert_err(sc__job_opts_parse(SC_S("[]"), &opts, NULL), SC_ESYNTAX);
    assert_int_equal(opts.attempts, 0);
}

TEST(limits_in_time_are_stored_in_a_member_of_ours_and_read_back)
{
    sc_job_opts opts = {.expires_at_ms = 1732392000000,
                        .start_within_ms = 60000,
                        .soft_timeout_ms = 500,
                        .hard_timeout_ms = -1};
    sc_job_opts read;

    assert_stored(opts, "{\"attempts\":0,\"sc\":{\"expiresAt\":1732392000000,\"startWithin\":60000,"
                        "\"softTimeout\":500,\"hardTimeout\":-1}}");
    assert_stored((sc_job_opts){.hard_timeout_ms = 9},
                  "{\"attempts\":0,\"sc\":{\"hardTimeout\":9}}");
    read = parse("{\"sc\":{\"expiresAt\":1.732392e12,\"startWithin\":60000,\"softTimeout\":500,"
                 "\"hardTimeout\":-1,\"more\":[]}}");
    assert_int_equal(read.expires_at_ms, opts.expires_at_ms);
    assert_int_equal(read.start_within_ms, 60000);
    assert_int_equal(read.soft_timeout_ms, 500);
    assert_int_equal(read.hard_timeout_ms, -1);
}

TEST(limits_that_make_no_sense_are_none)
{
    static const char *const strange[] = {"{\"sc\":7}", "{\"sc\":null}", "{\"sc\":[]}",
                                          "{\"sc\":{}}",
                                          "{\"sc\":{\"expiresAt\":-1,\"startWithin\":\"x\","
                                          "\"softTimeout\":-2,\"hardTimeout\":1e300}}"};

    for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++)
        assert_false(sc__job_limits_any(&(sc_job_opts[]){parse(strange[i])}[0]));
}

TEST(a_job_expires_at_the_earlier_of_its_two_dates)
{
    sc_job_opts opts = {.delay_ms = 50};

    assert_true(sc__job_limits_expiry(&opts, 1000) == INT64_MAX);
    opts.start_within_ms = 7;
    assert_int_equal(sc__job_limits_expiry(&opts, 1000), 1057);
    opts.expires_at_ms = 1056;
    assert_int_equal(sc__job_limits_expiry(&opts, 1000), 1056);
    opts.expires_at_ms = 0;
    assert_true(sc__job_limits_expiry(&opts, INT64_MAX) > 0);
}
