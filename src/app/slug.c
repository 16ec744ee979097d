#include "slug.h"

#include "base/utf8.h"

/* U+00C0 to U+017F, Latin letters with what they have over, under and in them. */
enum { FOLD_FIRST = 0xc0, FOLD_END = 0x180 };

/* clang-format off */
static const char fold[FOLD_END - FOLD_FIRST][3] = {
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", /* U+00C0 */
    "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "ss", /* U+00D0 */
    "a", "a", "a", "a", "a", "a", "ae", "c", "e", "e", "e", "e", "i", "i", "i", "i", /* U+00E0 */
    "d", "n", "o", "o", "o", "o", "o", "", "o", "u", "u", "u", "u", "y", "th", "y", /* U+00F0 */
    "a", "a", "a", "a", "a", "a", "c", "c", "c", "c", "c", "c", "c", "c", "d", "d", /* U+0100 */
    "d", "d", "e", "e", "e", "e", "e", "e", "e", "e", "e", "e", "g", "g", "g", "g", /* U+0110 */
    "g", "g", "g", "g", "h", "h", "h", "h", "i", "i", "i", "i", "i", "i", "i", "i", /* U+0120 */
    "i", "i", "ij", "ij", "j", "j", "k", "k", "k", "l", "l", "l", "l", "l", "l", "l", /* U+0130 */
    "l", "l", "l", "n", "n", "n", "n", "n", "n", "n", "n", "n", "o", "o", "o", "o", /* U+0140 */
    "o", "o", "oe", "oe", "r", "r", "r", "r", "r", "r", "s", "s", "s", "s", "s", "s", /* U+0150 */
    "s", "s", "t", "t", "t", "t", "t", "t", "u", "u", "u", "u", "u", "u", "u", "u", /* U+0160 */
    "u", "u", "u", "u", "w", "w", "y", "y", "y", "z", "z", "z", "z", "z", "z", "s", /* U+0170 */
};
/* clang-format on */

static bool is_alnum(unsigned c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool slug_is_valid(sc_slice slug)
{
    if (!slug.len || slug.len > SLUG_MAX || !is_alnum((unsigned char)slug.ptr[0]))
        return false;
    for (size_t i = 0; i < slug.len; i++) {
        unsigned char c = (unsigned char)slug.ptr[i];

        if (!is_alnum(c) && c != '-' && c != '_')
            return false;
    }
    return true;
}

/* The character at `p`, of `width` bytes, as far as two bytes reach; 0 for those beyond. */
static unsigned code_point(const char *p, size_t width)
{
    const unsigned char *u = (const unsigned char *)p;

    return width == 1 ? u[0] : width == 2 ? (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu) : 0;
}

static bool is_apostrophe(sc_slice c)
{
    return sc_slice_eq(c, SC_S("'")) || sc_slice_eq(c, SC_S("\xe2\x80\x99"));
}

/* What a character becomes: 0 to 2 letters. */
static const char *letters_of(unsigned c, char ascii[2])
{
    if (c >= FOLD_FIRST && c < FOLD_END)
        return fold[c - FOLD_FIRST];
    if (!is_alnum(c))
        return "";
    ascii[0] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    ascii[1] = '\0';
    return ascii;
}

sc_slice slug_from_title(sc_slice title, sc__arena *arena)
{
    char *slug = sc__arena_alloc(arena, SLUG_MAX + 1), ascii[2];
    size_t len = 0, width;
    bool gap = false;

    if (!slug)
        return (sc_slice){NULL, 0};
    for (size_t i = 0; i < title.len; i += width) {
        const char *letters;

        width = sc__utf8_width(title.ptr + i, title.len - i);
        letters = letters_of(code_point(title.ptr + i, width), ascii);
        if (!width)
            width = 1;
        if (is_apostrophe((sc_slice){title.ptr + i, width}))
            continue;
        if (len + (gap && len) + strlen(letters) > SLUG_MAX)
            break;
        if (!*letters) {
            gap = true;
            continue;
        }
        if (gap && len)
            slug[len++] = '-';
        gap = false;
        while (*letters)
            slug[len++] = *letters++;
    }
    slug[len] = '\0';
    return (sc_slice){slug, len};
}
