#include "failure.h"

#include "base/str.h"
#include "handle.h"
#include "ops/op_cache_load.h"

enum { LIFE_MS = 500 };

void sc__failure_leave(sc_cache *cache, sc_slice key, const sc__lease *lease, sc_err err,
                       int64_t keep_ms)
{
    const int64_t now_ms = sc__cache_now_ms(cache);
    sc__envelope envelope = {
        .kind = SC__ENVELOPE_ERROR, .stored_ms = now_ms, .expires_ms = now_ms + keep_ms};
    char text[SC__LEASE_LEN + SC__INT_LEN];
    char room[SC__ENVELOPE_UNTAGGED_MAX + sizeof(text) + SC__SEAL_LEN];
    sc_slice word;

    memcpy(text, lease->bytes, SC__LEASE_LEN);
    if (sc__codec_mark(&cache->codec, key, &envelope,
                       (sc_slice){text, SC__LEASE_LEN + sc__int_text(err, text + SC__LEASE_LEN)},
                       room, &word))
        return; /* the lease ends by itself */
    sc__op_cache_fail(cache->client, key, sc__lease_slice(lease), word,
                      keep_ms > LIFE_MS ? keep_ms : LIFE_MS, cache->opts.timeout_ms);
}

void sc__failure_read(sc_slice content, sc__failure *ret_failure)
{
    int64_t err;

    *ret_failure = (sc__failure){0};
    if (content.len <= SC__LEASE_LEN ||
        !sc__int_parse((sc_slice){content.ptr + SC__LEASE_LEN, content.len - SC__LEASE_LEN},
                       &err) ||
        err <= SC_OK || err > INT16_MAX)
        return;
    ret_failure->is_there = true;
    ret_failure->err = (sc_err)err;
    ret_failure->lease.is_there = true;
    memcpy(ret_failure->lease.bytes, content.ptr, SC__LEASE_LEN);
}

bool sc__failure_is_of(const sc__failure *failure, const sc__lease *lease)
{
    return failure->is_there && sc__lease_is(lease, &failure->lease);
}
