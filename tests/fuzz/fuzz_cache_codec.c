/* cache/codec.c with what Redis may hold: compressed, encrypted, cut off or changed. It opens to a bounded value, or not at all. */
#include <stdint.h>
#include <stdlib.h>

#include "cache/codec.h"

enum { VALUE_MAX = 64 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_with(const sc_cache_secret *secrets, size_t count, sc_slice stored)
{
    const sc_cache_opts opts = {
        .max_value_size = VALUE_MAX, .secrets = secrets, .secret_count = count};
    sc__envelope envelope;
    sc__blob *value = NULL;
    sc__codec codec;
    sc_slice content;

    if (sc__codec_init(&codec, &opts, NULL) ||
        sc__envelope_read(stored, &envelope, &content) == SC__ENVELOPE_UNREADABLE)
        return;
    if (sc__codec_open(&codec, SC_S("key"), stored, &envelope, content, &value, NULL))
        return;
    /* Nobody can make something encrypted without the secret, and nothing unpacks to more than a value may be. */
    if (count || (value && value->bytes.len > VALUE_MAX))
        abort();
    sc__blob_unref(value);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const sc_cache_secret secret = {1, "a secret of 32 bytes ..........."};
    const sc_slice stored = {(const char *)data, size};

    open_with(NULL, 0, stored);
    open_with(&secret, 1, stored);
    return 0;
}
