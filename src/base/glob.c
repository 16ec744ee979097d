#include "glob.h"

static unsigned char byte_at(sc_slice pattern, size_t at)
{
    return (unsigned char)pattern.ptr[at];
}

/* One member of a class: a byte, a range, or \ and a byte. Moves `at` behind it. */
static bool is_member(sc_slice pattern, size_t *at, unsigned char c)
{
    unsigned char from, to;

    if (byte_at(pattern, *at) == '\\' && *at + 1 < pattern.len)
        ++*at;
    else if (*at + 2 < pattern.len && byte_at(pattern, *at + 1) == '-') {
        from = byte_at(pattern, *at);
        to = byte_at(pattern, *at + 2);
        *at += 3;
        return from <= to ? from <= c && c <= to : to <= c && c <= from;
    }
    return byte_at(pattern, (*at)++) == c;
}

/* The class that begins behind its bracket. */
static bool is_in_class(sc_slice pattern, size_t *at, unsigned char c)
{
    const bool negated = *at < pattern.len && byte_at(pattern, *at) == '^';
    bool found = false;

    *at += negated;
    while (*at < pattern.len && byte_at(pattern, *at) != ']')
        found |= is_member(pattern, at, c);
    *at += *at < pattern.len;
    return found != negated;
}

/* What stands at `at`, and is no *, against one byte. Moves `at` behind it. */
static bool matches_one(sc_slice pattern, size_t *at, unsigned char c)
{
    unsigned char special = byte_at(pattern, *at);

    if (special == '[') {
        ++*at;
        return is_in_class(pattern, at, c);
    }
    if (special == '\\' && *at + 1 < pattern.len)
        ++*at;
    else if (special == '?')
        c = special;
    return byte_at(pattern, (*at)++) == c;
}

/* When something doesn't match, only the last * can take more: what an earlier one took need not change. */
bool sc__glob_matches(sc_slice pattern, sc_slice text)
{
    size_t p = 0, t = 0, after_star = SIZE_MAX, star_took = 0;

    while (t < text.len) {
        if (p < pattern.len && pattern.ptr[p] == '*') {
            after_star = ++p;
            star_took = t;
        } else if (p < pattern.len && matches_one(pattern, &p, (unsigned char)text.ptr[t])) {
            t++;
        } else if (after_star == SIZE_MAX) {
            return false;
        } else {
            p = after_star;
            t = ++star_took;
        }
    }
    while (p < pattern.len && pattern.ptr[p] == '*')
        p++;
    return p == pattern.len;
}
