/* base/glob.c with any pattern and text (the first line, and the rest): it ends, reads nothing beyond them, and says what one that tries
 * all ways says. */
#include <stdint.h>
#include <stdlib.h>

#include "base/glob.h"
#include "base/mem.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { TRIED_MAX = 40 };

static sc_slice tail(sc_slice bytes, size_t from)
{
    return (sc_slice){bytes.ptr + from, bytes.len - from};
}

/* A * takes any number of bytes; what stands between two of them is the matcher's own business. */
static bool tries_all(sc_slice pattern, sc_slice text)
{
    if (!pattern.len || pattern.ptr[0] != '*')
        return sc__glob_matches(pattern, text);
    for (size_t taken = 0; taken <= text.len; taken++)
        if (tries_all(tail(pattern, 1), tail(text, taken)))
            return true;
    return false;
}

/* In memory of its own, so that a byte too many is noticed. */
static sc_slice copy(const uint8_t *bytes, size_t len)
{
    char *to = sc__malloc(len ? len : 1);

    if (!to)
        abort();
    memcpy(to, bytes, len);
    return (sc_slice){to, len};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *line = size ? memchr(data, '\n', size) : NULL;
    const size_t len = line ? (size_t)(line - data) : size;
    sc_slice pattern = copy(data, len);
    sc_slice text = line ? copy(line + 1, size - len - 1) : copy(data, 0);
    bool matches = sc__glob_matches(pattern, text);

    if (size <= TRIED_MAX && matches != tries_all(pattern, text))
        abort();
    sc_free((void *)pattern.ptr);
    sc_free((void *)text.ptr);
    return 0;
}
