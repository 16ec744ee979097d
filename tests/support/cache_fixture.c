#include "cache_fixture.h"

#include "test.h"

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static char last_line[512];
static int lines;

static void on_log(sc_log_level level, const char *text, void *user)
{
    (void)level, (void)user;
    if (strncmp(text, "cache: ", 7) != 0)
        return;
    pthread_mutex_lock(&log_mutex);
    snprintf(last_line, sizeof(last_line), "%s", text);
    lines++;
    pthread_mutex_unlock(&log_mutex);
}

const char *cache_fixture_last_line(void)
{
    static char copy[sizeof(last_line)];

    pthread_mutex_lock(&log_mutex);
    memcpy(copy, last_line, sizeof(copy));
    pthread_mutex_unlock(&log_mutex);
    return copy;
}

int cache_fixture_lines(void)
{
    int count;

    pthread_mutex_lock(&log_mutex);
    count = lines;
    pthread_mutex_unlock(&log_mutex);
    return count;
}

void cache_fixture_start(struct cache_fixture *f)
{
    const sc_cache_opts opts = {.timeout_ms = 10000}; /* enough for a busy machine */

    sc_set_log(on_log, NULL);
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    f->other_client = test_server_client(&f->server);
    assert_ok(sc_cache_new(f->client, &opts, &f->cache, NULL));
    assert_ok(sc_cache_new(f->other_client, &opts, &f->other, NULL));
}

void cache_fixture_stop(struct cache_fixture *f)
{
    sc_cache_free(f->cache);
    sc_cache_free(f->other);
    sc_client_free(f->client);
    sc_client_free(f->other_client);
    test_server_kill(&f->server, 9);
}

static sc_err give(struct cache_source *source, sc_cache_load *load)
{
    sc_slice old = {NULL, 0};

    source->old[0] = '\0';
    if (sc_cache_load_old(load, &old))
        snprintf(source->old, sizeof(source->old), "%.*s", (int)old.len, old.ptr);
    if (source->err)
        return source->err;
    if (source->ttl_ms >= 0)
        sc_cache_load_ttl(load, source->ttl_ms);
    if (source->tag && sc_cache_load_tag(load, sc_slice_of(source->tag)))
        return SC_EINTERNAL;
    if (source->keeps)
        return sc_cache_load_keep(load);
    if (source->value)
        return sc_cache_load_set(load, sc_slice_of(source->value));
    sc_cache_load_none(load);
    return SC_OK;
}

sc_err cache_load(sc_cache_load *load, sc_slice key, void *user)
{
    struct cache_source *source = user;
    sc_err err;

    (void)key;
    pthread_mutex_lock(&source->mutex);
    source->loads++;
    pthread_cond_broadcast(&source->changed);
    while (source->gated)
        pthread_cond_wait(&source->changed, &source->mutex);
    err = give(source, load);
    source->ended++;
    pthread_mutex_unlock(&source->mutex);
    return err;
}

int cache_source_loads(struct cache_source *source)
{
    int loads;

    pthread_mutex_lock(&source->mutex);
    loads = source->loads;
    pthread_mutex_unlock(&source->mutex);
    return loads;
}

void cache_source_wait(struct cache_source *source, int loads)
{
    pthread_mutex_lock(&source->mutex);
    while (source->loads < loads)
        pthread_cond_wait(&source->changed, &source->mutex);
    pthread_mutex_unlock(&source->mutex);
}

static void gate(struct cache_source *source, bool gated)
{
    pthread_mutex_lock(&source->mutex);
    source->gated = gated;
    pthread_cond_broadcast(&source->changed);
    pthread_mutex_unlock(&source->mutex);
}

void cache_source_close(struct cache_source *source)
{
    gate(source, true);
}

void cache_source_open(struct cache_source *source)
{
    gate(source, false);
}

void cache_source_set(struct cache_source *source, const char *value)
{
    pthread_mutex_lock(&source->mutex);
    source->value = value;
    pthread_mutex_unlock(&source->mutex);
}

sc_cache_value cache_expect(sc_cache *cache, const sc_cache_def *def, const char *key,
                            struct cache_source *source, const char *value)
{
    sc_cache_value got;

    assert_ok(sc_cache_fetch(cache, def, sc_slice_of(key), source, &got));
    assert_slice(got.bytes, value);
    sc_cache_value_release(&(sc_cache_value){.owner = got.owner});
    got.owner = NULL;
    got.bytes = (sc_slice){NULL, 0};
    return got;
}

long cache_calls(const struct test_server *server, const char *command)
{
    char name[64];
    const char *at;

    snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
    at = strstr(test_redis(server, "INFO commandstats"), name);
    return at ? atol(at + strlen(name)) : 0;
}
