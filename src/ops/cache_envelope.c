#include "cache_envelope.h"

#include "base/rand.h"

static const char value_mark[SC__ENVELOPE_MARK_LEN + 1] = "\xff"
                                                          "SC\x01V";
static const char lease_mark[SC__ENVELOPE_MARK_LEN + 1] = "\xff"
                                                          "SC\x01L";
enum { MAGIC_LEN = 3, FLAGS_AT = 5, LENGTH_AT = 6, STORED_AT = 8 };

static uint64_t read_le(const char *p, size_t bytes)
{
    uint64_t value = 0;

    for (size_t i = bytes; i-- > 0;)
        value = value << 8 | (unsigned char)p[i];
    return value;
}

static void write_le(char *p, size_t bytes, uint64_t value)
{
    for (size_t i = 0; i < bytes; i++, value >>= 8)
        p[i] = (char)(value & 0xff);
}

static bool begins_with(sc_slice s, const char *mark, size_t len)
{
    return s.len >= len && memcmp(s.ptr, mark, len) == 0;
}

sc__envelope_kind sc__envelope_read(sc_slice stored, sc_slice *ret_value, int64_t *ret_stored_ms)
{
    size_t len;

    if (!begins_with(stored, value_mark, MAGIC_LEN)) {
        *ret_value = stored;
        *ret_stored_ms = -1;
        return SC__ENVELOPE_VALUE;
    }
    if (begins_with(stored, lease_mark, SC__ENVELOPE_MARK_LEN) && stored.len == SC__LEASE_LEN)
        return SC__ENVELOPE_LEASE;
    if (!begins_with(stored, value_mark, SC__ENVELOPE_MARK_LEN) || stored.len < SC__ENVELOPE_LEN)
        return SC__ENVELOPE_UNREADABLE;
    len = (size_t)read_le(stored.ptr + LENGTH_AT, 2);
    if (stored.ptr[FLAGS_AT] != 0 || len < SC__ENVELOPE_LEN || len > stored.len)
        return SC__ENVELOPE_UNREADABLE;
    *ret_value = (sc_slice){stored.ptr + len, stored.len - len};
    *ret_stored_ms = (int64_t)(read_le(stored.ptr + STORED_AT, 8) & INT64_MAX);
    return SC__ENVELOPE_VALUE;
}

static void write_head(char *out, const char *mark, int64_t now_ms)
{
    memcpy(out, mark, SC__ENVELOPE_MARK_LEN);
    out[FLAGS_AT] = 0;
    write_le(out + LENGTH_AT, 2, SC__ENVELOPE_LEN);
    write_le(out + STORED_AT, 8, (uint64_t)now_ms);
}

void sc__envelope_write(char out[SC__ENVELOPE_LEN], int64_t now_ms)
{
    write_head(out, value_mark, now_ms);
}

void sc__envelope_lease(char out[SC__LEASE_LEN], int64_t now_ms)
{
    char token[SC__TOKEN_LEN + 1];

    sc__rand_token(token);
    write_head(out, lease_mark, now_ms);
    memcpy(out + SC__ENVELOPE_LEN, token, SC__LEASE_LEN - SC__ENVELOPE_LEN);
}

sc_slice sc__envelope_lease_mark(void)
{
    return (sc_slice){lease_mark, SC__ENVELOPE_MARK_LEN};
}
