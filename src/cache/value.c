#include "value.h"

#include "base/mem.h"
#include "tier.h"

sc__blob *sc__blob_of_reply(sc_reply *reply, sc_slice bytes)
{
    sc__blob *blob = sc__malloc(sizeof(*blob));

    if (!blob) {
        sc_reply_free(reply);
        return NULL;
    }
    atomic_init(&blob->refs, 1);
    blob->reply = reply;
    blob->sealed = NULL;
    blob->bytes = bytes;
    return blob;
}

sc__blob *sc__blob_new(size_t len)
{
    sc__blob *blob;

    if (len > SIZE_MAX / 2)
        return NULL;
    blob = sc__malloc(sizeof(*blob) + SC__ENVELOPE_UNTAGGED_MAX + len + 1);
    if (!blob)
        return NULL;
    atomic_init(&blob->refs, 1);
    blob->reply = NULL;
    blob->sealed = NULL;
    blob->bytes = (sc_slice){sc__blob_room(blob), len};
    sc__blob_room(blob)[len] = '\0';
    return blob;
}

char *sc__blob_room(sc__blob *blob)
{
    return blob->stored + SC__ENVELOPE_UNTAGGED_MAX;
}

sc__blob *sc__blob_copy(sc_slice bytes)
{
    sc__blob *blob = sc__blob_new(bytes.len);

    if (blob && bytes.len)
        memcpy(sc__blob_room(blob), bytes.ptr, bytes.len);
    return blob;
}

sc__blob *sc__blob_ref(sc__blob *blob)
{
    atomic_fetch_add_explicit(&blob->refs, 1, memory_order_relaxed);
    return blob;
}

void sc__blob_unref(sc__blob *blob)
{
    if (!blob || atomic_fetch_sub_explicit(&blob->refs, 1, memory_order_acq_rel) > 1)
        return;
    sc_reply_free(blob->reply);
    sc_free(blob->sealed);
    sc_free(blob);
}

sc_err sc__blob_seal(sc__blob *blob, const sc__envelope *envelope, sc_slice *ret_stored)
{
    size_t size = sc__envelope_size(envelope);
    char *out = sc__blob_room(blob) - size;

    if (size > SC__ENVELOPE_UNTAGGED_MAX) {
        out = sc__malloc(size + blob->bytes.len);
        if (!out)
            return SC_ENOMEM;
        memcpy(out + size, blob->bytes.ptr, blob->bytes.len);
        sc_free(blob->sealed);
        blob->sealed = out;
    }
    sc__envelope_write(envelope, out);
    *ret_stored = (sc_slice){out, size + blob->bytes.len};
    return SC_OK;
}

void sc__blob_give(sc__blob *blob, sc_cache_source source, int64_t age_ms,
                   sc_cache_value *ret_value)
{
    *ret_value = (sc_cache_value){.source = source, .age_ms = age_ms, .owner = blob};
    ret_value->none = !blob;
    if (blob)
        ret_value->bytes = blob->bytes;
}

void sc_cache_value_release(sc_cache_value *value)
{
    if (!value)
        return;
    if (sc__tier_owns(value->owner))
        sc__tier_value_release(value->owner);
    else
        sc__blob_unref(value->owner);
    *value = (sc_cache_value){0};
}
