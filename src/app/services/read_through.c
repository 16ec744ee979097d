#include "read_through.h"

#include "base/error.h"

enum { ARENA_MAX = 128 * 1024 * 1024, ANSWER_MAX = 32 * 1024 * 1024 };

struct call {
    const struct read *read;
    sc_reason reason; /* of our own load, if it came to that */
};

static sc_err load(sc_cache_load *cache_load, sc_slice key, void *user)
{
    AUTO_STR out = STR_MAX(ANSWER_MAX);
    struct call *call = user;
    sc__arena arena;
    sc_err err;

    (void)key;
    sc__arena_init(&arena, ARENA_MAX);
    err = call->read->load(call->read, &arena, &out, &call->reason);
    sc__arena_release(&arena);
    if (!err)
        err = out.err;
    return err ? err : sc_cache_load_set(cache_load, sc__str_slice(&out));
}

sc_err read_through(const struct read *read, const sc__str *key, sc_err key_err, enum cache_ttl ttl,
                    sc_cache_value *ret_json, sc_reason *ret_reason)
{
    struct call call = {read, {""}};
    sc_err err = key_err;

    if (!err)
        err = sc_cache_get_or_set(read->catalog->cache, sc__str_slice(key), cache_ttl_ms(ttl), load,
                                  &call, ret_json);
    if (!err)
        return SC_OK;
    return sc__because(ret_reason, err, "%s",
                       call.reason.text[0] ? call.reason.text : sc_err_text(err));
}
