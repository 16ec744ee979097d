/* ops/cache_envelope.c with any bytes: what it says lies inside of them, and writing it again says the same. */
#include <stdint.h>
#include <stdlib.h>

#include "ops/cache_envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void must_lie_inside(sc_slice part, sc_slice whole)
{
    must(!part.len || (part.ptr >= whole.ptr && part.len <= whole.len &&
                       part.ptr - whole.ptr <= (ptrdiff_t)(whole.len - part.len)));
}

static void must_be_bounded(const sc__envelope *e, sc_slice stored)
{
    must(e->stored_ms >= -1 && e->tag_count <= SC__TAGS_MAX);
#define X(member, field) must(e->member >= 0);
    SC__ENVELOPE_NUMBERS(X)
#undef X
    for (size_t i = 0; i < e->tag_count; i++) {
        must(e->tags[i].len >= 1 && e->tags[i].len <= SC__TAG_LEN_MAX);
        must_lie_inside(e->tags[i], stored);
    }
}

static void must_survive_writing(const sc__envelope *e)
{
    char out[SC__ENVELOPE_MAX];
    size_t size = sc__envelope_size(e);
    sc__envelope again;
    sc_slice content;

    must(size <= sizeof(out));
    sc__envelope_write(e, out);
    must(sc__envelope_read((sc_slice){out, size}, &again, &content) == e->kind && !content.len);
    must(again.stored_ms == e->stored_ms && again.flags == e->flags &&
         again.tag_count == e->tag_count);
#define X(member, field) must(again.member == e->member);
    SC__ENVELOPE_NUMBERS(X)
#undef X
    for (size_t i = 0; i < e->tag_count; i++)
        must(sc_slice_eq(again.tags[i], e->tags[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const sc_slice stored = {(const char *)data, size};
    sc__envelope envelope;
    sc_slice content;
    sc__envelope_kind kind = sc__envelope_read(stored, &envelope, &content);

    must(kind == envelope.kind);
    must_be_bounded(&envelope, stored);
    must_lie_inside(content, stored);
    if (content.len)
        must(content.ptr + content.len == stored.ptr + size);
    if (kind == SC__ENVELOPE_LEASE)
        must(size >= SC__LEASE_LEN);
    else if (kind == SC__ENVELOPE_UNREADABLE)
        must(size >= 3 && data[0] == 0xff);
    else if (envelope.stored_ms >= 0)
        must_survive_writing(&envelope);
    return 0;
}
