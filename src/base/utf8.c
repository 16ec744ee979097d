#include "utf8.h"

static bool follows(const unsigned char *p, size_t at)
{
    return (p[at] & 0xc0) == 0x80;
}

size_t sc__utf8_width(const char *text, size_t len)
{
    const unsigned char *p = (const unsigned char *)text;

    if (!len)
        return 0;
    if (p[0] < 0x80)
        return 1;
    if (p[0] >= 0xc2 && p[0] < 0xe0)
        return len >= 2 && follows(p, 1) ? 2 : 0;
    if ((p[0] & 0xf0) == 0xe0) {
        if (len < 3 || !follows(p, 1) || !follows(p, 2))
            return 0;
        if ((p[0] == 0xe0 && p[1] < 0xa0) || (p[0] == 0xed && p[1] >= 0xa0))
            return 0;
        return 3;
    }
    if (p[0] >= 0xf0 && p[0] <= 0xf4) {
        if (len < 4 || !follows(p, 1) || !follows(p, 2) || !follows(p, 3))
            return 0;
        if ((p[0] == 0xf0 && p[1] < 0x90) || (p[0] == 0xf4 && p[1] >= 0x90))
            return 0;
        return 4;
    }
    return 0;
}

bool sc__utf8_valid(sc_slice s, size_t *ret_bad)
{
    size_t i = 0, width;

    while (i < s.len) {
        width = sc__utf8_width(s.ptr + i, s.len - i);
        if (!width) {
            if (ret_bad)
                *ret_bad = i;
            return false;
        }
        i += width;
    }
    return true;
}
