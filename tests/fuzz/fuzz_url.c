/* redis/url.c with any text: what is taken is whole, what is refused says why. */
#include <stdint.h>
#include <stdlib.h>

#include "base/mem.h"
#include "redis/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = sc__slice_dup((sc_slice){(const char *)data, size});
    sc_reason reason = {""};
    sc__url url;
    sc_err err;

    if (!text)
        return 0;
    err = sc__url_parse(text, &url, &reason);
    if (err && (err != SC_EINVAL || !reason.text[0]))
        abort();
    if (!err) {
        if (!url.shown || !url.path == !url.host || (url.path && strlen(url.path) > 107))
            abort();
        if (url.host && (url.port < 1 || url.port > 65535))
            abort();
        sc__url_release(&url);
    }
    sc_free(text);
    return 0;
}
