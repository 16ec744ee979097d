#include "cache_fixture.h"

#include "cache/handle.h"

#include "test.h"

static pthread_mutex_t log_mutex = PTHREAD_MUTEX_INITIALIZER;
static char last_line[512], all_lines[64 * 1024];
static int lines;

static void on_log(sc_log_level level, const char *text, void *user)
{
    (void)level, (void)user;
    if (strncmp(text, "cache: ", 7) != 0)
        return;
    pthread_mutex_lock(&log_mutex);
    snprintf(last_line, sizeof(last_line), "%s", text);
    snprintf(all_lines + strlen(all_lines), sizeof(all_lines) - strlen(all_lines), "%s\n", text);
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

bool cache_fixture_was_told(const char *part)
{
    bool was_told;

    pthread_mutex_lock(&log_mutex);
    was_told = strstr(all_lines, part) != NULL;
    pthread_mutex_unlock(&log_mutex);
    return was_told;
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

void cache_assert_hit(sc_cache *cache, sc_slice key, sc_slice bytes)
{
    sc_cache_value value;

    assert_ok(sc_cache_get(cache, key, &value));
    assert_int_equal(value.source, SC_CACHE_HIT);
    assert_int_equal(value.bytes.len, bytes.len);
    if (bytes.len)
        assert_memory_equal(value.bytes.ptr, bytes.ptr, bytes.len);
    assert_int_equal(value.bytes.ptr[bytes.len], 0);
    sc_cache_value_release(&value);
}

void cache_assert_miss(sc_cache *cache, sc_slice key)
{
    sc_cache_value value;

    assert_ok(sc_cache_get(cache, key, &value));
    assert_int_equal(value.source, SC_CACHE_MISS);
    assert_null(value.bytes.ptr);
    sc_cache_value_release(&value);
}

static void *run_call(void *arg)
{
    struct cache_call *call = arg;

    call->err =
        sc_cache_get_or_set(call->cache, SC_S("k"), 60000, cache_load, call->source, &call->value);
    return NULL;
}

void cache_call_start(struct cache_call *call, sc_cache *cache, struct cache_source *source)
{
    *call = (struct cache_call){.cache = cache, .source = source};
    assert_int_equal(pthread_create(&call->thread, NULL, run_call, call), 0);
}

void cache_call_end(struct cache_call *call)
{
    pthread_join(call->thread, NULL);
}

bool cache_on_progress(void *user, int64_t done)
{
    struct cache_told *told = user;

    told->times++;
    told->went_back = told->went_back || done < told->done;
    told->done = done;
    return !told->stop_at || done < told->stop_at;
}

void cache_make_keys(char (*texts)[16], sc_slice *keys, int count)
{
    for (int i = 0; i < count; i++) {
        snprintf(texts[i], sizeof(texts[i]), "k%d", i);
        keys[i] = sc_slice_of(texts[i]);
    }
}

void cache_populate(sc_client *client, const char *prefix, int count)
{
    enum { SLICE = 20000 };
    const sc_slice script =
        SC_S("for i = ARGV[2], ARGV[3] do redis.call('SET', ARGV[1] .. ':' .. i, 'v') end");
    char from[16], to[16];

    for (int done = 0; done < count; done += SLICE) {
        sc_reply *reply;

        snprintf(from, sizeof(from), "%d", done);
        snprintf(to, sizeof(to), "%d", (count < done + SLICE ? count : done + SLICE) - 1);
        const sc_slice argv[] = {SC_S("EVAL"),      script,         SC_S("0"), sc_slice_of(prefix),
                                 sc_slice_of(from), sc_slice_of(to)};
        assert_ok(sc_client_call(client, argv, 6, &reply));
        assert_int_not_equal(reply->type, SC_REPLY_ERROR);
        sc_reply_free(reply);
    }
}

bool cache_knows_tag(const sc_cache *cache, const char *tag)
{
    const sc_slice name = sc_slice_of(tag);
    sc__tag_version version;
    sc__tag_keys keys;

    sc__tag_keys_init(&keys, sc_slice_of(cache->prefix));
    assert_ok(sc__tag_keys_add(&keys, name));
    return sc__tier_know_tags(&cache->tier, keys.keys, 1, &version) == 1;
}

long cache_calls(const struct test_server *server, const char *command)
{
    char name[64];
    const char *at;

    snprintf(name, sizeof(name), "cmdstat_%s:calls=", command);
    at = strstr(test_redis(server, "INFO commandstats"), name);
    return at ? atol(at + strlen(name)) : 0;
}
