#include "base/json_scan.h"

#include "support/test.h"

static sc_err check(const char *text)
{
    return sc__json_check(sc_slice_of(text), NULL);
}

static sc__json_value scan(const char *text)
{
    sc__json_value value;

    assert_ok(sc__json_scan(sc_slice_of(text), &value, NULL));
    return value;
}

TEST(every_kind_of_value_is_json)
{
    static const char *const good[] = {
        "null",
        "true",
        "false",
        "0",
        "-0",
        "12.5",
        "1e3",
        "-1.5E-7",
        "\"\"",
        "\"a\\n\\u00e9\\\"\"",
        "[]",
        "{}",
        "[1,[2,[3]],{}]",
        " {\"a\" : [ 1 , {\"b\":null} ] , \"c\":\"d\" } ",
        "\"\xc3\xa9\"",
        "[[],[[]],{\"a\":{}}]",
    };

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (check(good[i]))
            fail_msg("refused: %s", good[i]);
}

TEST(what_is_not_json_is_refused)
{
    static const char *const bad[] = {
        "",          " ",          "nul",
        "True",      "01",         "1.",
        ".5",        "+1",         "1e",
        "\"",        "\"\\x\"",    "\"\\u12g4\"",
        "\"\n\"",    "[",          "[1",
        "[1,",       "[1,]",       "[1 2]",
        "{",         "{\"a\"",     "{\"a\":",
        "{\"a\":1,", "{\"a\":1,}", "{a:1}",
        "{\"a\" 1}", "[1}",        "{\"a\":1]",
        "1 2",       "{}{}",       "undefined",
        "NaN",       "\"\xff\"",   "\"\xed\xa0\x80\"",
        "]",         "}",          ",",
        "[,1]",      "-",
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (!check(bad[i]))
            fail_msg("taken: %s", bad[i]);
}

TEST(the_reason_names_the_byte)
{
    sc_reason reason;

    assert_err(sc__json_check(SC_S("{\"a\":tru}"), &reason), SC_ESYNTAX);

    assert_string_equal(reason.text, "not JSON: not a JSON value at byte 5 of 9");
}

TEST(depth_has_a_limit)
{
    char text[2 * (SC__JSON_DEPTH + 1)];

    memset(text, '[', SC__JSON_DEPTH + 1);
    memset(text + SC__JSON_DEPTH + 1, ']', SC__JSON_DEPTH + 1);

    assert_ok(sc__json_check((sc_slice){text + 1, 2 * SC__JSON_DEPTH}, NULL));
    assert_err(sc__json_check((sc_slice){text, sizeof(text)}, NULL), SC_ESYNTAX);
}

TEST(members_come_in_order_with_their_kinds)
{
    sc__json_value object = scan(" {\"n\": 1.5 ,\"s\":\"a\\\"b\",\"o\":{\"x\":[]},\"t\":true} "),
                   value;
    sc_slice key;
    size_t at = 0;

    assert_true(sc__json_next(object, &at, &key, &value));
    assert_slice(key, "n");
    assert_true(sc__json_double(value) == 1.5);
    assert_true(sc__json_next(object, &at, &key, &value));
    assert_slice(key, "s");
    assert_int_equal(value.kind, SC__JSON_STRING);
    assert_slice(value.text, "a\\\"b");
    assert_true(sc__json_next(object, &at, &key, &value));
    assert_slice(value.text, "{\"x\":[]}");
    assert_true(sc__json_next(object, &at, &key, &value));
    assert_true(sc__json_is_true(value));
    assert_false(sc__json_next(object, &at, &key, &value));
}

TEST(items_of_an_array_have_no_key)
{
    sc__json_value array = scan("[1,\"b\"]"), value;
    sc_slice key;
    size_t at = 0;

    assert_true(sc__json_next(array, &at, &key, &value));
    assert_int_equal(key.len, 0);
    assert_int_equal(sc__json_integer(value, 0), 1);
    assert_true(sc__json_next(array, &at, &key, &value));
    assert_slice(value.text, "b");
    assert_false(sc__json_next(array, &at, &key, &value));
}

TEST(empty_containers_and_scalars_have_no_members)
{
    sc__json_value value;
    sc_slice key;
    size_t at = 0;

    assert_false(sc__json_next(scan("{ }"), &at, &key, &value));
    assert_false(sc__json_next(scan("[]"), &at, &key, &value));
    assert_false(sc__json_next(scan("1"), &at, &key, &value));
}

TEST(numbers_are_read_whatever_their_form)
{
    assert_true(sc__json_double(scan("0.1")) == 0.1);
    assert_true(sc__json_double(scan("-2.5e3")) == -2500);
    assert_true(sc__json_double(scan("1.7e+12")) == 1.7e12);
    assert_int_equal(sc__json_integer(scan("1732392000000"), 0), 1732392000000);
    assert_int_equal(sc__json_integer(scan("1e400"), 0), INT64_MAX);
    assert_int_equal(sc__json_integer(scan("-1e400"), 0), INT64_MIN);
    assert_int_equal(sc__json_integer(scan("\"7\""), -1), -1);
    assert_int_equal(sc__json_count(scan("7.9")), 7);
    assert_int_equal(sc__json_count(scan("-7")), 0);
    assert_int_equal(sc__json_count(scan("\"7\"")), 0);
    assert_int_equal(sc__json_count(scan("1e400")), INT64_C(1) << 53);
}
