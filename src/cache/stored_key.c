#include "stored_key.h"

#include <openssl/sha.h>

enum { HEX_LEN = 2 * SHA256_DIGEST_LENGTH, MARK = '#' };

static bool is_hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool looks_hashed(sc_slice key)
{
    const char *hex = key.ptr + key.len - HEX_LEN;

    if (key.len > SC__STORED_KEY_LEN || key.len <= HEX_LEN || hex[-1] != MARK)
        return false;
    for (size_t i = 0; i < HEX_LEN; i++)
        if (!is_hex(hex[i]))
            return false;
    return true;
}

/* How much of a key stays: not half a character. */
static size_t head_len(sc_slice key)
{
    size_t len = key.len < SC__STORED_KEY_HEAD ? key.len : SC__STORED_KEY_HEAD;

    if (len == key.len)
        return len;
    for (size_t back = 0; back <= 3; back++)
        if (((unsigned char)key.ptr[len - back] & 0xc0) != 0x80)
            return len - back;
    return len; /* no UTF-8 */
}

static void write_hex(const unsigned char *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        *out++ = digits[bytes[i] >> 4];
        *out++ = digits[bytes[i] & 15];
    }
}

sc_slice sc__stored_key(sc_slice key, size_t limit, char room[SC__STORED_KEY_LEN])
{
    unsigned char hash[SHA256_DIGEST_LENGTH];
    size_t len;

    if (limit == SIZE_MAX || (key.len <= limit && !looks_hashed(key)))
        return key;
    len = head_len(key);
    SHA256((const unsigned char *)key.ptr, key.len, hash);
    memcpy(room, key.ptr, len);
    room[len] = MARK;
    write_hex(hash, sizeof(hash), room + len + 1);
    return (sc_slice){room, len + 1 + HEX_LEN};
}
