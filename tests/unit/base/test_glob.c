/* base/glob.c */
#include "base/glob.h"
#include "support/test.h"

static const struct {
    const char *pattern, *text;
    bool matches;
} cases[] = {
    {"", "", true},
    {"", "a", false},
    {"*", "", true},
    {"*", "anything", true},
    {"**", "a", true},
    {"?", "", false},
    {"?", "a", true},
    {"?", "?", true},
    {"a?c", "abc", true},
    {"a?c", "ac", false},
    {"user:*", "user:1", true},
    {"user:*", "user:", true},
    {"user:*", "user", false},
    {"*:1", "user:1", true},
    {"*:1", "user:1:1", true},
    {"*:1", "user:12", false},
    {"a*b*c", "a-b-b-c", true},
    {"a*b*c", "a-c-b", false},
    {"*aab", "aaaaab", true},
    {"h[ae]llo", "hello", true},
    {"h[ae]llo", "hillo", false},
    {"h[^e]llo", "hallo", true},
    {"h[^e]llo", "hello", false},
    {"[a-c]", "b", true},
    {"[c-a]", "b", true},
    {"[a-c]", "d", false},
    {"[-a]", "-", true},
    {"[a-]", "-", false}, /* from a to the bracket */
    {"[\\]]", "]", true},
    {"[\\a-c]", "b", false},
    {"[]", "a", false},
    {"[^]", "a", true},
    {"[abc", "b", true},
    {"[abc", "d", false},
    {"a[", "a", false},
    {"a\\*", "a*", true},
    {"a\\*", "ab", false},
    {"\\", "\\", true},
    {"\xc3?", "\xc3\xa4", true},
};

TEST(patterns_match_as_redis_has_it)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        if (sc__glob_matches(sc_slice_of(cases[i].pattern), sc_slice_of(cases[i].text)) !=
            cases[i].matches)
            fail_msg("\"%s\" and \"%s\"", cases[i].pattern, cases[i].text);
}

TEST(a_nul_is_a_byte_like_any_other)
{
    assert_true(sc__glob_matches((sc_slice){"a\0*", 3}, (sc_slice){"a\0b", 3}));
    assert_false(sc__glob_matches((sc_slice){"a\0b", 3}, (sc_slice){"a\0c", 3}));
}

/* One that tries all ways would take longer than there is time. */
TEST(many_stars_take_no_time)
{
    char text[1000], pattern[400];

    memset(text, 'a', sizeof(text));
    for (size_t i = 0; i < sizeof(pattern); i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[sizeof(pattern) - 1] = 'b';
    assert_false(
        sc__glob_matches((sc_slice){pattern, sizeof(pattern)}, (sc_slice){text, sizeof(text)}));
    text[sizeof(text) - 1] = 'b';
    assert_true(
        sc__glob_matches((sc_slice){pattern, sizeof(pattern)}, (sc_slice){text, sizeof(text)}));
}
