#include <storychain/cache_json.h>

#include "base/error.h"
#include "base/json.h"

enum { TEXT_MAX = 64 * 1024 * 1024 /* what can be read again */ };

sc_err sc_cache_load_set_json(sc_cache_load *load, const struct json_t *json)
{
    AUTO_STR text = STR_MAX(TEXT_MAX);

    sc__json_write(&text, json);
    return text.err ? text.err : sc_cache_load_set(load, sc__str_slice(&text));
}

sc_err sc_cache_store_json(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                           const struct json_t *json)
{
    AUTO_STR text = STR_MAX(TEXT_MAX);

    sc__json_write(&text, json);
    return text.err ? text.err : sc_cache_store(cache, def, key, sc__str_slice(&text));
}

sc_err sc_cache_value_json(const sc_cache_value *value, struct json_t **ret_json,
                           sc_reason *ret_reason)
{
    if (!value->bytes.ptr)
        return sc__because(ret_reason, SC_ENOTFOUND, "there is no value");
    return sc__json_parse(value->bytes, ret_json, ret_reason);
}
