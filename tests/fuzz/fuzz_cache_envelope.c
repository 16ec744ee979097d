/* ops/cache_envelope.c with any bytes: what it says lies inside of them. */
#include <stdint.h>
#include <stdlib.h>

#include "ops/cache_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sc_slice stored = {(const char *)data, size};
    sc_slice value = {NULL, 0};
    int64_t stored_ms = -2;

    switch (sc__envelope_read(stored, &value, &stored_ms)) {
    case SC__ENVELOPE_VALUE:
        if (stored_ms < -1 || value.len > size || (value.len && value.ptr < stored.ptr) ||
            value.ptr + value.len != stored.ptr + size)
            abort();
        break;
    case SC__ENVELOPE_LEASE:
        if (size != SC__LEASE_LEN)
            abort();
        break;
    case SC__ENVELOPE_UNREADABLE:
        if (size < 3 || data[0] != 0xff)
            abort();
        break;
    }
    return 0;
}
