#include "ops/job_decode.h"

#include "base/mem.h"
#include "support/test.h"

static sc_reply text(const char *s)
{
    return (sc_reply){.type = SC_REPLY_STRING, .str = sc_slice_of(s)};
}

TEST(a_hash_becomes_a_job)
{
    const sc_reply items[] = {
        text("name"),      text("send"),
        text("data"),      text("{\"a\":1}"),
        text("opts"),      text("{\"attempts\":3}"),
        text("timestamp"), text("1732392000000"),
        text("delay"),     text("0"),
        text("priority"),  text("7"),
        text("atm"),       text("2"),
        text("rjk"),       text("nightly"),
        text("later"),     text("unknown field"),
    };
    const sc_reply hash = {.type = SC_REPLY_MAP, .count = 18, .items = items};
    sc_job *job;

    assert_ok(sc__job_decode_new(SC_S("12"), &hash, &job, NULL));

    assert_slice(job->id, "12");
    assert_slice(job->name, "send");
    assert_slice(job->data, "{\"a\":1}");
    assert_slice(job->scheduler_id, "nightly");
    assert_slice(job->progress, "0");
    assert_int_equal(job->timestamp_ms, 1732392000000);
    assert_int_equal(job->priority, 7);
    assert_int_equal(job->attempts_made, 2);
    assert_int_equal(job->attempts, 3);
    assert_int_equal(job->failed_reason.len, 0);
    assert_int_equal(job->failed_reason.ptr[0], '\0');
    sc_free(job);
}

TEST(missing_and_wrong_fields_do_no_harm)
{
    const sc_reply nil = {.type = SC_REPLY_NIL};
    const sc_reply items[] = {
        text("timestamp"), text("soon"), text("delay"),
        text("1.5e3"),     text("opts"), text("not json"),
        text("data"),      nil,          nil,
        text("x"),         text("name"), {.type = SC_REPLY_INT, .integer = 4},
    };
    const sc_reply hash = {.type = SC_REPLY_ARRAY, .count = 12, .items = items};
    sc__arena arena;
    sc_job *job;

    sc__arena_init(&arena, 4096);
    assert_ok(sc__job_decode(&arena, SC_S("x"), &hash, &job, NULL));

    assert_int_equal(job->timestamp_ms, 0);
    assert_int_equal(job->delay_ms, 1500);
    assert_slice(job->data, "{}");
    assert_slice(job->opts, "not json");
    assert_slice(job->name, "");
    sc__arena_release(&arena);
}

TEST(counts_are_bounded)
{
    const sc_reply items[] = {text("atm"), text("-3"),
                              text("ats"), text("9223372036854775807"),
                              text("stc"), text("-9223372036854775808")};
    const sc_reply hash = {.type = SC_REPLY_ARRAY, .count = 6, .items = items};
    sc_job *job;

    assert_ok(sc__job_decode_new(SC_S("1"), &hash, &job, NULL));
    assert_int_equal(job->attempts_made, 0);
    assert_int_equal(job->attempts_started, 1000000000000000);
    assert_int_equal(job->stalled_count, 0);
    sc_free(job);
}

TEST(a_reply_that_is_no_hash_is_an_error)
{
    const sc_reply odd_items[] = {text("name")};
    const sc_reply empty = {.type = SC_REPLY_ARRAY}, number = {.type = SC_REPLY_INT, .integer = 1},
                   odd = {.type = SC_REPLY_ARRAY, .count = 1, .items = odd_items};
    sc_job *job;

    assert_err(sc__job_decode_new(SC_S("1"), &empty, &job, NULL), SC_ENOJOB);
    assert_err(sc__job_decode_new(SC_S("1"), &number, &job, NULL), SC_ELAYOUT);
    assert_err(sc__job_decode_new(SC_S("1"), &odd, &job, NULL), SC_ELAYOUT);
}

TEST(a_job_too_large_for_its_arena_is_refused)
{
    const sc_reply items[] = {text("data"), text("0123456789012345678901234567890123456789")};
    const sc_reply hash = {.type = SC_REPLY_ARRAY, .count = 2, .items = items};
    sc__arena arena;
    sc_job *job;

    sc__arena_init(&arena, 64);
    assert_err(sc__job_decode(&arena, SC_S("1"), &hash, &job, NULL), SC_ETOOBIG);
    sc__arena_release(&arena);
}
