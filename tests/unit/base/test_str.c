/* base/str.c */
#include "base/str.h"
#include "support/test.h"

TEST(a_string_keeps_its_first_error_and_its_ceiling)
{
    AUTO_STR s = STR_MAX(8);

    sc__str_text(&s, "12345678");
    sc__str_char(&s, '9');
    sc__str_text(&s, "more");

    assert_int_equal(s.err, SC_ETOOBIG);
    assert_slice(sc__str_slice(&s), "12345678");
}

TEST(integers_are_written_and_read_at_their_limits)
{
    static const int64_t values[] = {0, -1, 7, 1760000000000, INT64_MAX, INT64_MIN};
    char digits[SC__INT_LEN];

    for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
        size_t len = sc__int_text(values[i], digits);
        int64_t back = 0;

        assert_true(sc__int_parse((sc_slice){digits, len}, &back));
        assert_true(back == values[i]);
    }
}

TEST(numbers_out_of_range_are_not_read)
{
    static const char *const texts[] = {
        "", "-", "9223372036854775808", "-9223372036854775809", "1x", " 1", "+1"};
    int64_t value;

    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        assert_false(sc__int_parse(sc_slice_of(texts[i]), &value));
}

TEST(json_text_escapes_control_bytes_and_mends_bad_utf8)
{
    AUTO_STR s = STR_MAX(1024);

    sc__str_json(&s, SC_S("a\"b\\c\n\x01 \xc3\xa9 \xff."));

    assert_slice(sc__str_slice(&s), "\"a\\\"b\\\\c\\n\\u0001 \xc3\xa9 \xef\xbf\xbd.\"");
}
