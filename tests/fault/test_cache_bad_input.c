/* cache/: keys of any bytes, and rubbish where the cache's own values, tags and clock should be */
#include <signal.h>

#include "base/rand.h"
#include "ops/cache_envelope.h"
#include "support/cache_fixture.h"
#include "support/test.h"

static const char *const tags[] = {"story:1", NULL};
static const sc_cache_def tagged = {
    .name = "tagged", .ttl_ms = 60000, .grace_ms = 1000, .tags = tags, .load = cache_load};
static const sc_cache_def plain_tags = {.name = "untagged", .ttl_ms = 60000, .load = cache_load};

static void set_bytes(struct cache_fixture *f, const char *key, sc_slice bytes)
{
    const sc_slice words[] = {SC_S("SET"), sc_slice_of(key), bytes};

    test_redis_words(&f->server, words, 3);
}

/* A fetch that gives the loader's value, whatever lies in Redis; then it is found there. */
static void must_load(sc_cache *cache, const sc_cache_def *def, const char *key,
                      struct cache_source *source)
{
    const int before = cache_source_loads(source);
    sc_cache_value value = cache_expect(cache, def, key, source, "loaded");

    assert_int_equal(value.source, SC_CACHE_MISS);
    sc_cache_value_release(&value);
    value = cache_expect(cache, def, key, source, "loaded");
    sc_cache_value_release(&value);
    assert_int_equal(cache_source_loads(source), before + 1);
}

TEST(keys_are_any_bytes)
{
    static const char all[] = "\x00\xff\xfe\n\r\"\\*?[]{} \xc3\x28 \xed\xa0\x80 \x80 \xe2\x82";
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;
    sc_cache_value value;
    bool removed;

    cache_fixture_start(&f);
    for (size_t from = 0; from + 1 < sizeof(all); from++) {
        const sc_slice key = {all + from, sizeof(all) - 1 - from};

        assert_ok(sc_cache_fetch(f.cache, &tagged, key, &source, &value));
        assert_int_equal(value.source, SC_CACHE_MISS);
        sc_cache_value_release(&value);
        assert_ok(sc_cache_get(f.other, key, &value));
        assert_slice(value.bytes, "loaded");
        sc_cache_value_release(&value);
        assert_ok(sc_cache_del(f.other, key, &removed));
        assert_true(removed);
    }
    cache_fixture_stop(&f);
}

TEST(values_that_are_no_text_come_back)
{
    char bytes[256];
    struct cache_fixture f;
    sc_cache_value value;

    for (int i = 0; i < 256; i++)
        bytes[i] = (char)i;
    cache_fixture_start(&f);
    assert_ok(sc_cache_store(f.cache, &tagged, SC_S("k"), (sc_slice){bytes, sizeof(bytes)}));
    assert_ok(sc_cache_get(f.other, SC_S("k"), &value));
    assert_int_equal(value.bytes.len, sizeof(bytes));
    assert_memory_equal(value.bytes.ptr, bytes, sizeof(bytes));
    sc_cache_value_release(&value);
    cache_fixture_stop(&f);
}

/* Bytes that begin as an envelope does, more or less. */
static sc_slice rubbish(char *room, size_t size)
{
    static const char kinds[] = "VNELX";
    size_t len = 4 + sc__rand_u64() % (size - 4);

    for (size_t i = 0; i < len; i++)
        room[i] = (char)sc__rand_u64();
    memcpy(room, "\xffSC\x01", 4);
    if (len > 8) {
        room[4] = kinds[sc__rand_u64() % 5];
        room[5] = (char)(sc__rand_u64() % 4);
        room[6] = (char)(16 + sc__rand_u64() % 24);
        room[7] = 0;
    }
    return (sc_slice){room, len};
}

/* What it holds may be a value, of whatever bytes; but it is no more than that, and deleting it ends it. */
TEST_LIMIT(rubbish_at_a_key_is_at_worst_a_value, 60)
{
    static const sc_cache_def impatient = {.ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("loaded");
    const sc_cache_opts opts = {.timeout_ms = 10000, .wait_ms = 1, .max_value_size = 1 << 20};
    struct cache_fixture f;
    sc_cache_value value;
    sc_cache *cache;
    char room[80];
    bool there;

    cache_fixture_start(&f);
    assert_ok(sc_cache_new(f.client, &opts, &cache, NULL));
    for (int round = 0; round < 300; round++) {
        set_bytes(&f, "k", rubbish(room, sizeof(room)));
        assert_ok(sc_cache_exists(cache, SC_S("k"), &there));
        assert_ok(sc_cache_get(cache, SC_S("k"), &value));
        sc_cache_value_release(&value);
        if (sc_cache_fetch(cache, &impatient, SC_S("k"), &source, &value) == SC_OK)
            sc_cache_value_release(&value);
        assert_ok(sc_cache_del(cache, SC_S("k"), NULL));
        value = cache_expect(cache, &impatient, "k", &source, "loaded");
        assert_int_equal(value.source, SC_CACHE_MISS);
        sc_cache_value_release(&value);
    }
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

/* A value with such dates, as another writer may have had them. */
static void set_dated(struct cache_fixture *f, const sc__envelope *envelope)
{
    char bytes[SC__ENVELOPE_MAX + 8];
    const size_t size = sc__envelope_size(envelope);

    sc__envelope_write(envelope, bytes);
    memcpy(bytes + size, "written", 7);
    set_bytes(f, "k", (sc_slice){bytes, size + 7});
}

TEST(dates_that_make_no_sense_are_survived)
{
    static const sc__envelope wrong[] = {
        {.stored_ms = INT64_MAX, .expires_ms = 1},
        {.stored_ms = 1, .expires_ms = INT64_MAX, .soft_ms = INT64_MAX, .grace_ms = INT64_MAX},
        {.stored_ms = INT64_MAX, .soft_ms = 1, .grace_ms = 1, .load_us = INT64_MAX},
        {.stored_ms = 0, .birth = INT64_MAX, .load_us = INT64_MAX, .expires_ms = INT64_MAX},
        {.kind = SC__ENVELOPE_NEGATIVE, .stored_ms = INT64_MAX, .expires_ms = INT64_MAX},
        {.kind = SC__ENVELOPE_ERROR, .stored_ms = 1, .expires_ms = INT64_MAX},
        {.stored_ms = 1, .raw_size = INT64_MAX, .flags = SC__ENVELOPE_ZSTD},
        {.stored_ms = 1, .key_id = INT64_MAX, .flags = SC__ENVELOPE_SEALED},
    };
    static const sc_cache_def eager = {
        .ttl_ms = 60000, .grace_ms = 60000, .soft_ttl_ms = 1000, .eager = 1, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        set_dated(&f, &wrong[i]);
        assert_ok(sc_cache_get(f.cache, SC_S("k"), &value));
        sc_cache_value_release(&value);
        set_dated(&f, &wrong[i]);
        if (sc_cache_fetch(f.cache, &eager, SC_S("k"), &source, &value) == SC_OK) {
            assert_true(value.age_ms >= -1);
            sc_cache_value_release(&value);
        }
        assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
        value = cache_expect(f.cache, &eager, "k", &source, "loaded");
        sc_cache_value_release(&value);
        assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
    }
    cache_fixture_stop(&f);
}

TEST(a_tags_key_that_holds_rubbish_counts_as_deleted_and_heals)
{
    static const char *const commands[] = {"SET sc-cache:tag:story:1 rubbish",
                                           "SET sc-cache:tag:story:1 -5",
                                           "HSET sc-cache:tag:story:1 field value"};
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;

    cache_fixture_start(&f);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        must_load(f.cache, &tagged, "k", &source);
        test_redis(&f.server, "DEL sc-cache:tag:story:1");
        test_redis(&f.server, commands[i]);
        assert_ok(sc_cache_del_tags(f.other, &SC_S("story:1"), 1)); /* mends it */
        must_load(f.cache, &tagged, "k", &source);
        test_redis(&f.server, "DEL sc-cache:tag:story:1 k");
        test_redis(&f.server, commands[i]);
        sc_cache_value value = cache_expect(f.cache, &tagged, "k", &source, "loaded");
        sc_cache_value_release(&value);
        test_redis(&f.server, "FLUSHALL");
    }
    cache_fixture_stop(&f);
}

/* Whether a value that is loaded is found again. */
static bool is_kept(sc_cache *cache, const char *key, struct cache_source *source)
{
    sc_cache_value value = cache_expect(cache, &tagged, key, source, source->value);
    const bool kept = value.source == SC_CACHE_HIT;

    sc_cache_value_release(&value);
    return kept;
}

TEST(a_clock_that_holds_rubbish_costs_the_cache_but_no_value)
{
    static const char *const commands[] = {"SET sc-cache:clock rubbish",
                                           "HSET sc-cache:clock field value",
                                           "SET sc-cache:clock 1e300", "SET sc-cache:clock -3"};
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
        test_redis(&f.server, "FLUSHALL");
        test_redis(&f.server, commands[i]);
        for (int k = 0; k < 3; k++) {
            value = cache_expect(f.cache, &tagged, "k", &source, "loaded");
            sc_cache_value_release(&value);
            value = cache_expect(f.cache, &plain_tags, "u", &source, "loaded");
            sc_cache_value_release(&value);
        }
    }
    test_redis(&f.server, "FLUSHALL"); /* and it heals */
    wait_until(sc_cache_del_tags(f.cache, &SC_S("story:1"), 1) == SC_OK);
    wait_until(is_kept(f.cache, "k", &source));
    cache_fixture_stop(&f);
}

struct caller {
    pthread_t thread;
    sc_cache *cache;
    struct cache_source *source;
};

static void *fetch_old(void *arg)
{
    struct caller *caller = arg;
    sc_cache_value value = cache_expect(caller->cache, &tagged, "k", caller->source, "old");

    sc_cache_value_release(&value);
    return NULL;
}

TEST(a_full_redis_gives_loaded_values_and_none_that_was_deleted_by_tag)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    must_load(f.cache, &tagged, "k", &source);
    test_redis(&f.server, "CONFIG SET maxmemory 1");
    value = cache_expect(f.cache, &tagged, "new", &source, "loaded");
    sc_cache_value_release(&value);
    /* A tag that is lost counts as deleted, and removing its key needs no memory. */
    assert_ok(sc_cache_del_tags(f.cache, &SC_S("story:1"), 1));
    assert_string_equal(test_redis(&f.server, "EXISTS sc-cache:tag:story:1 sc-cache:clock"), "0");
    cache_source_set(&source, "newer");
    value = cache_expect(f.other, &tagged, "k", &source, "newer");
    sc_cache_value_release(&value);

    test_redis(&f.server, "CONFIG SET maxmemory 0");
    value = cache_expect(f.other, &tagged, "k", &source, "newer");
    sc_cache_value_release(&value);
    wait_until(is_kept(f.cache, "k", &source));
    cache_fixture_stop(&f);
}

/* The load begins before Redis is full, its tag is deleted while it is, and it ends when it is not any more. */
TEST(a_load_is_not_stored_after_a_delete_by_tag_in_a_full_redis)
{
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    struct caller caller;

    cache_fixture_start(&f);
    caller = (struct caller){.cache = f.cache, .source = &source};
    cache_source_close(&source);
    assert_int_equal(pthread_create(&caller.thread, NULL, fetch_old, &caller), 0);
    cache_source_wait(&source, 1);
    test_redis(&f.server, "CONFIG SET maxmemory 1");
    assert_ok(sc_cache_del_tags(f.other, &SC_S("story:1"), 1));
    test_redis(&f.server, "CONFIG SET maxmemory 0");
    cache_source_open(&source);
    pthread_join(caller.thread, NULL);

    cache_source_set(&source, "newer");
    wait_until(is_kept(f.other, "k", &source)); /* never "old" */
    cache_fixture_stop(&f);
}

TEST(a_read_only_redis_gives_loaded_values_and_catches_up)
{
    struct cache_source source = CACHE_SOURCE("loaded");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    must_load(f.cache, &tagged, "k", &source);
    test_redis(&f.server, "REPLICAOF 127.0.0.1 1");
    test_redis(&f.server, "CONFIG SET replica-serve-stale-data yes");
    for (int i = 0; i < 5; i++) {
        value = cache_expect(f.cache, &tagged, "new", &source, "loaded");
        sc_cache_value_release(&value);
    }
    assert_int_not_equal(sc_cache_del_tags(f.cache, &SC_S("story:1"), 1), SC_OK);
    cache_source_set(&source, "newer");
    value = cache_expect(f.cache, &tagged, "k", &source, "newer");
    sc_cache_value_release(&value);

    test_redis(&f.server, "REPLICAOF NO ONE");
    wait_until(strcmp(test_redis(&f.server, "EXISTS sc-cache:tag:story:1"), "0") == 0);
    value = cache_expect(f.other, &tagged, "k", &source, "newer");
    sc_cache_value_release(&value);
    wait_until(is_kept(f.cache, "k", &source));
    cache_fixture_stop(&f);
}

TEST(a_wrong_type_where_a_renewals_lease_belongs_leaves_the_old_value)
{
    static const sc_cache_def soft = {
        .ttl_ms = 600000, .soft_ttl_ms = 1, .grace_ms = 1000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("old");
    struct cache_fixture f;
    sc_cache_value value;

    cache_fixture_start(&f);
    test_redis(&f.server, "HSET sc-cache:renew:k field value");
    value = cache_expect(f.cache, &soft, "k", &source, "old");
    sc_cache_value_release(&value);
    for (int i = 0; i < 20; i++) {
        assert_ok(sc_cache_fetch(f.cache, &soft, SC_S("k"), &source, &value));
        assert_slice(value.bytes, "old");
        sc_cache_value_release(&value);
    }
    cache_fixture_stop(&f);
}
