#include "cache_envelope.h"

#include "base/rand.h"

enum { MAGIC_LEN = 3, KIND_AT = 4, FLAGS_AT = 5, LENGTH_AT = 6, STORED_AT = 8, FIELD_HEAD = 2 };

/* Magic and version; the kind follows. */
static const char mark[] = "\xff"
                           "SC\x01";
static const char lease_mark[SC__ENVELOPE_MARK_LEN + 1] = "\xff"
                                                          "SC\x01L";

/* In the order of sc__envelope_kind. */
static const char kinds[] = {'V', 'N', 'E', 'L'};

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

static bool begins_with(sc_slice s, const char *bytes, size_t len)
{
    return s.len >= len && memcmp(s.ptr, bytes, len) == 0;
}

/* reading */

static bool read_number(sc_slice field, int64_t *ret_value)
{
    uint64_t value;

    if (!field.len || field.len > 8)
        return false;
    value = read_le(field.ptr, field.len);
    if (value > INT64_MAX)
        return false;
    *ret_value = (int64_t)value;
    return true;
}

static bool read_tag(sc__envelope *e, sc_slice name)
{
    if (!name.len || e->tag_count == SC__TAGS_MAX)
        return false;
    e->tags[e->tag_count++] = name;
    return true;
}

static bool read_field(sc__envelope *e, unsigned name, sc_slice field)
{
    switch (name) {
#define X(member, number)                                                                          \
    case number:                                                                                   \
        return read_number(field, &e->member);
        SC__ENVELOPE_NUMBERS(X)
#undef X
    case SC__FIELD_NONCE:
        if (field.len == SC__NONCE_LEN)
            memcpy(e->nonce, field.ptr, SC__NONCE_LEN);
        return field.len == SC__NONCE_LEN;
    case SC__FIELD_TAG:
        return read_tag(e, field);
    default:
        return true;
    }
}

static bool read_fields(sc__envelope *e, sc_slice fields)
{
    while (fields.len) {
        size_t len;

        if (fields.len < FIELD_HEAD)
            return false;
        len = (unsigned char)fields.ptr[1];
        if (len > fields.len - FIELD_HEAD ||
            !read_field(e, (unsigned char)fields.ptr[0], (sc_slice){fields.ptr + FIELD_HEAD, len}))
            return false;
        fields = (sc_slice){fields.ptr + FIELD_HEAD + len, fields.len - FIELD_HEAD - len};
    }
    return true;
}

static bool read_kind(char letter, sc__envelope_kind *ret_kind)
{
    const char *at = memchr(kinds, letter, sizeof(kinds));

    if (at)
        *ret_kind = (sc__envelope_kind)(at - kinds);
    return at != NULL;
}

/* What comes behind the magic. False: unreadable. */
static bool read_envelope(sc_slice stored, sc__envelope *e, sc_slice *ret_content)
{
    size_t len;

    if (!begins_with(stored, mark, KIND_AT) || stored.len < SC__ENVELOPE_LEN ||
        !read_kind(stored.ptr[KIND_AT], &e->kind))
        return false;
    e->flags = (unsigned char)stored.ptr[FLAGS_AT];
    e->stored_ms = (int64_t)(read_le(stored.ptr + STORED_AT, 8) & INT64_MAX);
    len = (size_t)read_le(stored.ptr + LENGTH_AT, 2);
    if (e->flags & ~(unsigned)(SC__ENVELOPE_ZSTD | SC__ENVELOPE_SEALED) || len < SC__ENVELOPE_LEN ||
        len > stored.len)
        return false;
    if (!read_fields(e, (sc_slice){stored.ptr + SC__ENVELOPE_LEN, len - SC__ENVELOPE_LEN}))
        return false;
    if (e->kind == SC__ENVELOPE_LEASE)
        len += SC__LEASE_LEN - SC__ENVELOPE_LEN;
    if (len > stored.len)
        return false;
    *ret_content = (sc_slice){stored.ptr + len, stored.len - len};
    return true;
}

sc__envelope_kind sc__envelope_read(sc_slice stored, sc__envelope *ret_envelope,
                                    sc_slice *ret_content)
{
    *ret_envelope = (sc__envelope){.kind = SC__ENVELOPE_VALUE, .stored_ms = -1};
    *ret_content = stored;
    if (!begins_with(stored, mark, MAGIC_LEN))
        return SC__ENVELOPE_VALUE;
    *ret_content = (sc_slice){NULL, 0};
    if (!read_envelope(stored, ret_envelope, ret_content))
        ret_envelope->kind = SC__ENVELOPE_UNREADABLE;
    return ret_envelope->kind;
}

/* writing */

static size_t number_len(int64_t value)
{
    size_t len = 0;

    for (uint64_t rest = (uint64_t)value; rest; rest >>= 8)
        len++;
    return len;
}

static size_t number_size(int64_t value)
{
    return value > 0 ? FIELD_HEAD + number_len(value) : 0;
}

size_t sc__envelope_size(const sc__envelope *e)
{
    size_t size = SC__ENVELOPE_LEN;

#define X(member, field) size += number_size(e->member);
    SC__ENVELOPE_NUMBERS(X)
#undef X
    if (e->flags & SC__ENVELOPE_SEALED)
        size += FIELD_HEAD + SC__NONCE_LEN;
    for (size_t i = 0; i < e->tag_count; i++)
        size += FIELD_HEAD + e->tags[i].len;
    return size;
}

static char *write_field(char *out, unsigned name, sc_slice bytes)
{
    out[0] = (char)name;
    out[1] = (char)bytes.len;
    memcpy(out + FIELD_HEAD, bytes.ptr, bytes.len);
    return out + FIELD_HEAD + bytes.len;
}

static char *write_number(char *out, unsigned name, int64_t value)
{
    char bytes[8];

    if (value <= 0)
        return out;
    write_le(bytes, sizeof(bytes), (uint64_t)value);
    return write_field(out, name, (sc_slice){bytes, number_len(value)});
}

static void write_head(char *out, sc__envelope_kind kind, unsigned flags, size_t size,
                       int64_t stored_ms)
{
    memcpy(out, mark, KIND_AT);
    out[KIND_AT] = kinds[kind];
    out[FLAGS_AT] = (char)flags;
    write_le(out + LENGTH_AT, 2, size);
    write_le(out + STORED_AT, 8, (uint64_t)stored_ms);
}

void sc__envelope_write(const sc__envelope *e, char *out)
{
    write_head(out, e->kind, e->flags, sc__envelope_size(e), e->stored_ms);
    out += SC__ENVELOPE_LEN;
#define X(member, field) out = write_number(out, field, e->member);
    SC__ENVELOPE_NUMBERS(X)
#undef X
    if (e->flags & SC__ENVELOPE_SEALED)
        out = write_field(out, SC__FIELD_NONCE, (sc_slice){e->nonce, SC__NONCE_LEN});
    for (size_t i = 0; i < e->tag_count; i++)
        out = write_field(out, SC__FIELD_TAG, e->tags[i]);
}

void sc__envelope_lease(char out[SC__LEASE_LEN], int64_t now_ms)
{
    char token[SC__TOKEN_LEN + 1];

    sc__rand_token(token);
    write_head(out, SC__ENVELOPE_LEASE, 0, SC__ENVELOPE_LEN, now_ms);
    memcpy(out + SC__ENVELOPE_LEN, token, SC__LEASE_LEN - SC__ENVELOPE_LEN);
}

sc_slice sc__envelope_lease_mark(void)
{
    return (sc_slice){lease_mark, SC__ENVELOPE_MARK_LEN};
}
