/* ops/job_parent.c, and its part of ops/job_opts.c */
#include "ops/job_opts.h"
#include "ops/job_parent.h"
#include "support/test.h"

static const sc_parent parent = {.id = SC_S("12"), .queue = SC_S("bull:orders")};

TEST(a_parent_is_stored_in_the_options_and_in_the_hash)
{
    const sc_job_opts opts = {.parent = parent, .on_failure = SC_ON_FAILURE_FAIL};
    AUTO_STR stored = STR_MAX(1024), key = STR_MAX(1024), in_hash = STR_MAX(1024);

    assert_ok(sc__job_opts_check(&opts, NULL));
    sc__job_opts_write(&stored, &opts);
    sc__parent_key_write(&key, &opts.parent);
    sc__parent_write(&in_hash, &opts);

    assert_string_equal(
        stored.ptr,
        "{\"attempts\":0,\"fpof\":true,\"parent\":{\"id\":\"12\",\"queue\":\"bull:orders\"}}");
    assert_string_equal(key.ptr, "bull:orders:12");
    assert_string_equal(in_hash.ptr, "{\"id\":\"12\",\"queueKey\":\"bull:orders\",\"fpof\":true}");
}

TEST(each_policy_has_its_short_name_and_reads_back)
{
    static const char *const stored_as[] = {
        "{\"attempts\":0}",
        "{\"attempts\":0,\"fpof\":true}",
        "{\"attempts\":0,\"cpof\":true}",
        "{\"attempts\":0,\"idof\":true}",
        "{\"attempts\":0,\"rdof\":true}",
    };

    for (int i = SC_ON_FAILURE_NONE; i <= SC_ON_FAILURE_REMOVE; i++) {
        const sc_job_opts opts = {.on_failure = (sc_on_failure)i};
        AUTO_STR stored = STR_MAX(1024);
        sc_job_opts back;

        assert_ok(sc__job_opts_check(&opts, NULL));
        sc__job_opts_write(&stored, &opts);
        assert_ok(sc__job_opts_parse(sc__str_slice(&stored), &back, NULL));

        assert_string_equal(stored.ptr, stored_as[i]);
        assert_int_equal(back.on_failure, i);
    }
}

TEST(a_stored_parent_reads_back_and_half_a_one_is_none)
{
    const sc_slice whole = SC_S("{\"parent\":{\"queue\":\"bull:orders\",\"id\":\"12\"}}");
    sc_job_opts opts;

    assert_ok(sc__job_opts_parse(whole, &opts, NULL));
    assert_slice(opts.parent.id, "12");
    assert_slice(opts.parent.queue, "bull:orders");
    assert_ok(sc__job_opts_parse(SC_S("{\"parent\":{\"id\":\"12\"}}"), &opts, NULL));
    assert_int_equal(opts.parent.id.len, 0);
    assert_ok(sc__job_opts_parse(SC_S("{\"parent\":7}"), &opts, NULL));
    assert_int_equal(opts.parent.id.len, 0);
}

TEST(of_several_policies_the_first_counts_as_when_the_child_fails)
{
    sc_job_opts opts;

    assert_ok(sc__job_opts_parse(SC_S("{\"rdof\":true,\"fpof\":false,\"cpof\":true,\"idof\":true}"),
                                 &opts, NULL));
    assert_int_equal(opts.on_failure, SC_ON_FAILURE_CONTINUE);
}

TEST(nothing_is_written_without_a_parent)
{
    const sc_job_opts opts = {.on_failure = SC_ON_FAILURE_IGNORE};
    AUTO_STR out = STR_MAX(1024);

    sc__parent_key_write(&out, &opts.parent);
    sc__parent_write(&out, &opts);

    assert_int_equal(out.len, 0);
}

TEST(bad_parents_are_refused_with_a_reason)
{
    static const struct {
        sc_job_opts opts;
        const char *reason;
    } cases[] = {
        {{.parent = {.id = SC_S("12")}}, "needs an id, and a queue"},
        {{.parent = {.queue = SC_S("bull:orders")}}, "needs an id, and a queue"},
        {{.parent = {SC_S("12"), SC_S("orders")}}, "needs an id, and a queue"},
        {{.parent = {SC_S("12"), SC_S(":orders")}}, "needs an id, and a queue"},
        {{.parent = {SC_S("12"), SC_S("bull:")}}, "needs an id, and a queue"},
        {{.parent = {SC_S("\xff"), SC_S("bull:orders")}}, "not UTF-8"},
        {{.parent = {SC_S("12"), SC_S("bull:orders")}, .dedup = {.id = SC_S("a")}},
         "cannot be deduplicated"},
        {{.on_failure = (sc_on_failure)9}, "unknown"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sc_reason reason = {""};

        assert_err(sc__job_opts_check(&cases[i].opts, &reason), SC_EINVAL);
        if (!strstr(reason.text, cases[i].reason))
            fail_msg("case %zu: the reason is \"%s\"", i, reason.text);
    }
}
