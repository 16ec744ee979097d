/* H: a value that looks random but is the same for the same seed, on every node and in cron-parser. */
#include "cron.h"

#include "utf8.h"

static uint32_t mix(uint32_t hash, uint32_t unit)
{
    return (hash ^ unit) * 16777619u;
}

static uint32_t code_point(const unsigned char *p, size_t width)
{
    static const unsigned char first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t c = p[0] & first_bits[width];

    for (size_t i = 1; i < width; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

uint32_t sc__cron_seed(sc_slice utf8)
{
    uint32_t hash = 2166136261u;

    for (size_t i = 0; i < utf8.len;) {
        size_t width = sc__utf8_width(utf8.ptr + i, utf8.len - i);
        uint32_t c = width ? code_point((const unsigned char *)utf8.ptr + i, width) : 0xfffd;

        if (c >= 0x10000) {
            hash = mix(hash, 0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        hash = mix(hash, c);
        i += width ? width : 1;
    }
    return hash;
}

uint32_t sc__cron_draw(uint32_t *state)
{
    uint32_t t = *state += 0x6d2b79f5u;

    t = (t ^ t >> 15) * (t | 1);
    t ^= t + (t ^ t >> 7) * (t | 61);
    return t ^ t >> 14;
}
