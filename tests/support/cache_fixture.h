/* A cache on a server of its own, a second one as another process would have it, and loaders that count. */
#ifndef TEST_SUPPORT_CACHE_FIXTURE_H
#define TEST_SUPPORT_CACHE_FIXTURE_H

#include <pthread.h>

#include <storychain/cache.h>

#include "server.h"

struct cache_fixture {
    struct test_server server;
    sc_client *client, *other_client;
    sc_cache *cache, *other;
};

void cache_fixture_start(struct cache_fixture *f);
void cache_fixture_stop(struct cache_fixture *f);

/* The last line that a cache logged since the start, and how many there were. */
const char *cache_fixture_last_line(void);
int cache_fixture_lines(void);

/* Whether any line since the start says so. */
bool cache_fixture_was_told(const char *part);

/* What a loader is to do; `user` of cache_load. */
struct cache_source {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    int loads; /* begun */
    int ended;
    bool gated; /* loads wait while this is so */
    sc_err err;
    const char *value; /* NULL: there is no such thing */
    const char *tag;   /* NULL: none */
    bool keeps;        /* the old value */
    int64_t ttl_ms;    /* -1: says nothing */
    char old[64];      /* the old value that the last load was offered; "" */
};

#define CACHE_SOURCE(text)                                                                         \
    {                                                                                              \
        .mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER, .value = (text),  \
        .ttl_ms = -1                                                                               \
    }

sc_err cache_load(sc_cache_load *load, sc_slice key, void *user);

int cache_source_loads(struct cache_source *source);
void cache_source_wait(struct cache_source *source, int loads); /* until so many began */
void cache_source_close(struct cache_source *source);
void cache_source_open(struct cache_source *source);
void cache_source_set(struct cache_source *source, const char *value);

/* A fetch that must give this value ("": none), and from where it did. */
sc_cache_value cache_expect(sc_cache *cache, const sc_cache_def *def, const char *key,
                            struct cache_source *source, const char *value);

/* What lies at a key must be these bytes, from Redis; or nothing that is given. */
void cache_assert_hit(sc_cache *cache, sc_slice key, sc_slice bytes);
void cache_assert_miss(sc_cache *cache, sc_slice key);

/* A get_or_set of "k" on a thread of its own, with a TTL of a minute. `value` is to be released. */
struct cache_call {
    pthread_t thread;
    sc_cache *cache;
    struct cache_source *source;
    sc_err err;
    sc_cache_value value;
};

void cache_call_start(struct cache_call *call, sc_cache *cache, struct cache_source *source);
void cache_call_end(struct cache_call *call); /* waits for it */

/* What a caller is told of a sweep; `user` of cache_on_progress. */
struct cache_told {
    int times;
    int64_t done, stop_at; /* stop_at 0: goes on */
    bool went_back;
};

bool cache_on_progress(void *user, int64_t done);

/* k0, k1, … */
void cache_make_keys(char (*texts)[16], sc_slice *keys, int count);

/* Stores prefix:0 … as another program would. */
void cache_populate(sc_client *client, const char *prefix, int count);

/* Whether the cache knows what the tag says, without asking for it. */
bool cache_knows_tag(const sc_cache *cache, const char *tag);

/* How often a command was called ("get"). */
long cache_calls(const struct test_server *server, const char *command);

#endif
