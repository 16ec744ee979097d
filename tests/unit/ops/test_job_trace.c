/* ops/job_trace.c */
#include "support/test.h"

#include "ops/job_trace.h"

static const char *write(const char *stored, const char *metadata)
{
    static char text[512];
    AUTO_STR out = STR_MAX(sizeof(text) - 1);

    sc__job_trace_write(&out, sc_slice_of(stored), sc_slice_of(metadata));
    snprintf(text, sizeof(text), "%.*s", (int)out.len, out.ptr);
    return text;
}

TEST(metadata_is_added_to_stored_options)
{
    assert_string_equal(write("{\"attempts\":0}", "a \"b\""),
                        "{\"attempts\":0,\"tm\":\"a \\\"b\\\"\"}");
    assert_string_equal(write("{}", "x"), "{\"tm\":\"x\"}");
    assert_string_equal(write(" {\"omc\":false} ", "x"), "{\"omc\":false,\"tm\":\"x\"}");
}

TEST(options_that_have_metadata_or_want_none_stay)
{
    assert_string_equal(write("{\"tm\":\"own\"}", "x"), "{\"tm\":\"own\"}");
    assert_string_equal(write("{\"attempts\":0,\"omc\":true}", "x"),
                        "{\"attempts\":0,\"omc\":true}");
    assert_string_equal(write("[1]", "x"), "[1]");
    assert_string_equal(write("{\"a", "x"), "{\"a");
}

TEST(metadata_is_read_from_stored_options)
{
    sc__arena arena;

    sc__arena_init(&arena, 1024);
    assert_slice(sc__job_trace_read(&arena, SC_S("{\"tm\":\"a \\\"b\\\" \\u00e9\"}")),
                 "a \"b\" \xc3\xa9");
    assert_int_equal(sc__job_trace_read(&arena, SC_S("{\"tm\":5}")).len, 0);
    assert_int_equal(sc__job_trace_read(&arena, SC_S("{\"attempts\":0}")).len, 0);
    assert_int_equal(sc__job_trace_read(&arena, SC_S("x")).len, 0);
    sc__arena_release(&arena);
}
