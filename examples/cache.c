/* The smallest cached value: loads once, then comes from Redis. Needs a Redis at 127.0.0.1:6379. */
#include <stdio.h>
#include <storychain/cache.h>

static sc_err load_story(sc_cache_load *load, sc_slice key, void *user)
{
    (void)user;
    printf("loading %.*s from somewhere slow\n", (int)key.len, key.ptr);
    return sc_cache_load_set(load, SC_S("{\"title\":\"Dawn\"}"));
}

int main(void)
{
    sc_client *client;
    sc_cache *cache;
    sc_cache_value value;

    if (sc_client_new(NULL, &client, NULL) || sc_cache_new(client, NULL, &cache, NULL))
        return 1;
    for (int i = 0; i < 2; i++) {
        if (sc_cache_get_or_set(cache, SC_S("story:dawn"), 60 * 1000, load_story, NULL, &value))
            return 1;
        printf("%s, %s\n", value.bytes.ptr, value.source == SC_CACHE_HIT ? "cached" : "loaded");
        sc_cache_value_release(&value);
    }
    sc_cache_free(cache);
    sc_client_free(client);
    return 0;
}
