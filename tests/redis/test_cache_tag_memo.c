/* cache/tag_memo.c: what tags say is known while the server has not told otherwise, and values are asked for alone */
#include "cache/handle.h"

#include "support/cache_fixture.h"
#include "support/test.h"

enum { TURNS = 300 };

static const char *const tags[] = {"one", "two", NULL};
static const sc_cache_def def = {.ttl_ms = 60000, .load = cache_load, .tags = tags};

static void del_tag(sc_cache *cache, const char *tag)
{
    const sc_slice slice = sc_slice_of(tag);

    assert_ok(sc_cache_del_tags(cache, &slice, 1));
}

static sc_cache_source get(sc_cache *cache, const char *key)
{
    sc_cache_value value;
    sc_cache_source source;

    assert_ok(sc_cache_get(cache, sc_slice_of(key), &value));
    source = value.source;
    sc_cache_value_release(&value);
    return source;
}

/* Stores it, and knows what its tags say. */
static void begin(struct cache_fixture *f, struct cache_source *source)
{
    cache_expect(f->cache, &def, "k", source, source->value);
    cache_expect(f->cache, &def, "k", source, source->value);
    assert_true(cache_knows_tag(f->cache, "one"));
    assert_true(cache_knows_tag(f->cache, "two"));
}

static void set_up(struct cache_fixture *f, struct cache_source *source)
{
    cache_fixture_start(f);
    begin(f, source);
    test_redis(&f->server, "CONFIG RESETSTAT");
}

static void expect_commands(const struct cache_fixture *f, long gets, long mgets)
{
    assert_int_equal(cache_calls(&f->server, "get"), gets);
    assert_int_equal(cache_calls(&f->server, "mget"), mgets);
}

TEST(a_value_with_known_tags_is_asked_for_alone)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    cache_expect(f.cache, &def, "k", &source, "v");
    expect_commands(&f, 1, 0);
    assert_int_equal(get(f.cache, "k"), SC_CACHE_HIT);
    expect_commands(&f, 2, 0);
    cache_fixture_stop(&f);
}

TEST(tags_of_the_loader_that_another_value_has_are_known_too)
{
    const sc_cache_def untagged = {.ttl_ms = 60000, .load = cache_load};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    source.tag = "one";
    cache_expect(f.other, &untagged, "l", &source, "v");
    test_redis(&f.server, "CONFIG RESETSTAT");
    cache_expect(f.cache, &untagged, "l", &source, "v");
    expect_commands(&f, 1, 0);
    cache_fixture_stop(&f);
}

TEST(who_reads_after_a_delete_elsewhere_gets_nothing_older)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    for (int i = 0; i < TURNS; i++) {
        begin(&f, &source);
        del_tag(f.other, tags[i % 2]);
        assert_int_equal(get(f.cache, "k"), SC_CACHE_MISS);
    }
    cache_fixture_stop(&f);
}

TEST(and_who_deletes_here)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    for (int i = 0; i < TURNS; i++) {
        begin(&f, &source);
        del_tag(f.cache, tags[i % 2]);
        assert_false(cache_knows_tag(f.cache, tags[i % 2]));
        assert_int_equal(get(f.cache, "k"), SC_CACHE_MISS);
    }
    cache_fixture_stop(&f);
}

TEST(an_expiry_elsewhere_makes_it_stale)
{
    static const sc_cache_def graced = {
        .ttl_ms = 60000, .grace_ms = 60000, .load = cache_load, .tags = tags};
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    assert_ok(sc_cache_del(f.cache, SC_S("k"), NULL));
    cache_expect(f.cache, &graced, "k", &source, "v");
    assert_ok(sc_cache_expire_tags(f.other, &SC_S("two"), 1));
    assert_true(cache_expect(f.cache, &graced, "k", &source, "v").stale);
    cache_fixture_stop(&f);
}

TEST(what_was_known_goes_with_the_connection)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    for (int i = 0; i < 20; i++) {
        begin(&f, &source);
        test_redis(&f.server, "CLIENT KILL TYPE normal");
        test_redis(&f.server, "DEL sc-cache:tag:two"); /* told to nobody */
        assert_int_equal(get(f.cache, "k"), SC_CACHE_MISS);
        wait_until(sc_client_is_connected(f.cache->client));
    }
    cache_fixture_stop(&f);
}

TEST(a_flush_forgets_all)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    test_redis(&f.server, "FLUSHALL");
    wait_until(!cache_knows_tag(f.cache, "one") && !cache_knows_tag(f.cache, "two"));
    cache_expect(f.cache, &def, "k", &source, "v");
    assert_int_equal(cache_source_loads(&source), 2);
    cache_fixture_stop(&f);
}

TEST(a_user_who_may_not_track_asks_each_time)
{
    struct cache_source source = CACHE_SOURCE("v");
    sc_client_opts client_opts = {0};
    struct cache_fixture f;
    sc_client *client;
    sc_cache *cache;
    char url[160];

    set_up(&f, &source);
    test_redis(&f.server, "ACL SETUSER plain on >secret ~* +@all -client");
    snprintf(url, sizeof(url), "unix://plain:secret@%s", f.server.socket);
    client_opts.url = url;
    assert_ok(sc_client_new(&client_opts, &client, NULL));
    assert_ok(sc_cache_new(client, NULL, &cache, NULL));
    for (int i = 0; i < 3; i++)
        cache_expect(cache, &def, "k", &source, "v");
    expect_commands(&f, 0, 3);
    assert_false(cache_knows_tag(cache, "one"));
    sc_cache_free(cache);
    sc_client_free(client);
    cache_fixture_stop(&f);
}

struct answer {
    atomic_bool is_there;
    sc_err err;
    sc_cache_source source;
};

static void on_value(void *user, sc_err err, const sc_cache_value *value)
{
    struct answer *answer = user;

    answer->err = err;
    if (!err)
        answer->source = value->source;
    atomic_store(&answer->is_there, true);
}

static sc_cache_source get_async(sc_cache *cache, const char *key)
{
    struct answer answer = {0};

    assert_ok(sc_cache_get_async(cache, sc_slice_of(key), on_value, &answer));
    wait_until(atomic_load(&answer.is_there));
    assert_ok(answer.err);
    return answer.source;
}

TEST(a_call_that_does_not_wait_knows_them_too)
{
    struct cache_source source = CACHE_SOURCE("v");
    struct cache_fixture f;

    set_up(&f, &source);
    assert_int_equal(get_async(f.cache, "k"), SC_CACHE_HIT);
    expect_commands(&f, 1, 0);
    for (int i = 0; i < TURNS; i++) {
        begin(&f, &source);
        del_tag(f.other, tags[i % 2]);
        assert_int_equal(get_async(f.cache, "k"), SC_CACHE_MISS);
    }
    cache_fixture_stop(&f);
}
