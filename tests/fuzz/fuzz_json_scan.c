/* base/json_scan beside jansson: what that takes, we take; and walking over what we took stays inside it. */
#include <stdlib.h>

#include "base/json.h"
#include "base/json_scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t walk(sc__json_value container, int depth)
{
    sc__json_value value;
    sc_slice key;
    size_t at = 0, count = 0;

    while (sc__json_next(container, &at, &key, &value)) {
        if (at > container.text.len)
            abort();
        count++;
        if (depth < 64)
            walk(value, depth + 1);
        (void)sc__json_integer(value, 0);
    }
    return count;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sc_slice text = {(const char *)data, size};
    sc__json_value value;
    json_t *tree = NULL;
    sc_err ours = sc__json_scan(text, &value, NULL), theirs = sc__json_parse(text, &tree, NULL);

    /* jansson passes over a NUL behind a number. */
    if (!theirs && ours && !memchr(text.ptr, '\0', text.len))
        abort();
    if (!ours) {
        size_t count = walk(value, 0);

        if (json_is_array(tree) && json_array_size(tree) != count)
            abort();
    }
    json_decref(tree);
    return 0;
}
