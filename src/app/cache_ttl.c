#include "cache_ttl.h"

static const struct {
    const char *name;
    int64_t seconds;
} ttls[CACHE_TTL_COUNT] = {
#define X(name, seconds) {#name, seconds},
    CACHE_TTLS(X)
#undef X
};

int64_t cache_ttl_ms(enum cache_ttl ttl)
{
    return ttls[ttl].seconds * 1000;
}

const char *cache_ttl_name(enum cache_ttl ttl)
{
    return ttls[ttl].name;
}

sc_err cache_ttl_find(sc_slice name, enum cache_ttl *ret_ttl)
{
    for (int i = 0; i < CACHE_TTL_COUNT; i++) {
        if (sc_slice_eq(name, sc_slice_of(ttls[i].name))) {
            *ret_ttl = (enum cache_ttl)i;
            return SC_OK;
        }
    }
    return SC_ENOTFOUND;
}
