/* cache/many.c, cache/fetch_many.c: many keys at once */
#include <stdatomic.h>

#include "base/clock.h"
#include "support/cache_fixture.h"
#include "support/test.h"

enum { MAX = 250 };

static char texts[MAX][16];
static sc_slice keys[MAX];
static sc_cache_value values[MAX];
static sc_err errs[MAX];

static void release(size_t count)
{
    for (size_t i = 0; i < count; i++)
        sc_cache_value_release(&values[i]);
}

struct table {
    atomic_int calls, rows;
    sc_err err;
    const char *fails, *lacks, *tag;
    sc_cache *cache; /* to be asked for a key of the load, from inside */
    sc_err inner_err;
};

static const sc_cache_def row;

/* The value of k7 is v7. */
static sc_err load_rows(sc_cache_load *const *loads, const sc_slice *asked, size_t count,
                        void *user)
{
    struct table *table = user;
    sc_cache_value value;

    atomic_fetch_add(&table->calls, 1);
    atomic_fetch_add(&table->rows, (int)count);
    if (table->cache)
        table->inner_err = sc_cache_fetch(table->cache, &row, asked[0], table, &value);
    for (size_t i = 0; i < count; i++) {
        char text[16];

        snprintf(text, sizeof(text), "v%.*s", (int)asked[i].len - 1, asked[i].ptr + 1);
        if (table->tag && sc_cache_load_tag(loads[i], sc_slice_of(table->tag)))
            return SC_EINTERNAL;
        if (table->fails && sc_slice_eq(asked[i], sc_slice_of(table->fails)))
            sc_cache_load_fail(loads[i], SC_EIO);
        else if (table->lacks && sc_slice_eq(asked[i], sc_slice_of(table->lacks)))
            continue;
        else if (sc_cache_load_set(loads[i], sc_slice_of(text)))
            return SC_EINTERNAL;
    }
    return table->err;
}

static const char *const row_tags[] = {"row", NULL};
static const sc_cache_def row = {.ttl_ms = 60000, .load_many = load_rows, .tags = row_tags};
static const sc_cache_def keeping = {
    .ttl_ms = 60000, .negative_ttl_ms = 60000, .error_ttl_ms = 60000, .load_many = load_rows};

static void expect_rows(sc_cache *cache, const sc_cache_def *def, size_t from, size_t count,
                        struct table *table)
{
    assert_ok(sc_cache_fetch_many(cache, def, keys + from, count, table, values, errs));
    for (size_t i = 0; i < count; i++) {
        char text[16];

        assert_int_equal(errs[i], SC_OK);
        snprintf(text, sizeof(text), "v%zu", from + i);
        assert_slice(values[i].bytes, text);
    }
    release(count);
}

TEST(a_hundred_keys_of_which_thirty_are_missing_take_two_commands_and_one_load)
{
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    expect_rows(f.cache, &row, 0, 70, &table);
    assert_int_equal(table.calls, 1);
    test_redis(&f.server, "CONFIG RESETSTAT");
    expect_rows(f.other, &row, 0, 100, &table);
    assert_int_equal(table.calls, 2);
    assert_int_equal(table.rows, 100);
    assert_int_equal(cache_calls(&f.server, "evalsha"), 2);
    assert_int_equal(cache_calls(&f.server, "mget"), 0);

    test_redis(&f.server, "CONFIG RESETSTAT");
    expect_rows(f.cache, &row, 0, 100, &table);
    assert_int_equal(table.calls, 2);
    assert_int_equal(cache_calls(&f.server, "evalsha"), 1);
    cache_fixture_stop(&f);
}

TEST(more_than_a_hundred_keys_come_in_slices)
{
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    expect_rows(f.cache, &row, 0, MAX, &table);
    assert_int_equal(table.calls, 3);
    assert_int_equal(table.rows, MAX);
    expect_rows(f.other, &row, 0, MAX, &table);
    assert_int_equal(table.rows, MAX);
    assert_ok(sc_cache_fetch_many(f.other, &row, keys, 0, &table, values, errs));

    test_redis(&f.server, "CONFIG RESETSTAT");
    assert_ok(sc_cache_get_many(f.other, keys, MAX, values));
    for (int i = 0; i < MAX; i++)
        assert_int_equal(values[i].source, SC_CACHE_HIT);
    assert_slice(values[MAX - 1].bytes, "v249");
    assert_int_equal(cache_calls(&f.server, "mget"), 3 + 3); /* and their tag, in each slice */
    release(MAX);
    cache_fixture_stop(&f);
}

TEST(each_key_has_its_own_error_and_its_own_absence)
{
    struct table table = {.fails = "k1", .lacks = "k2"};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &keeping, keys, 4, &table, values, errs));
    assert_slice(values[0].bytes, "v0");
    assert_int_equal(errs[1], SC_EIO);
    assert_int_equal(errs[2], SC_OK);
    assert_true(values[2].none);
    assert_slice(values[3].bytes, "v3");
    release(4);

    wait_until(strcmp(test_redis(&f.server, "EXISTS k1"), "1") == 0);
    assert_ok(sc_cache_fetch_many(f.other, &keeping, keys, 4, &table, values, errs));
    assert_int_equal(errs[1], SC_EIO);
    assert_true(values[2].none);
    assert_int_equal(values[2].source, SC_CACHE_HIT);
    assert_int_equal(table.rows, 4);
    release(4);
    cache_fixture_stop(&f);
}

TEST(what_is_not_kept_leaves_nothing_behind)
{
    struct table table = {.fails = "k1", .lacks = "k2"};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &row, keys, 3, &table, values, errs));
    release(3);
    assert_string_equal(test_redis(&f.server, "EXISTS k2"), "0");
    wait_until(strcmp(test_redis(&f.server, "EXISTS k1"), "0") == 0);
    assert_string_equal(test_redis(&f.server, "EXISTS k0"), "1");
    cache_fixture_stop(&f);
}

TEST(an_error_of_the_loader_is_that_of_all_it_was_asked_for)
{
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    expect_rows(f.cache, &row, 0, 1, &table);
    table.err = SC_EIO;
    assert_ok(sc_cache_fetch_many(f.cache, &row, keys, 3, &table, values, errs));
    assert_int_equal(errs[0], SC_OK);
    assert_int_equal(errs[1], SC_EIO);
    assert_int_equal(errs[2], SC_EIO);
    sc_cache_value_release(&values[0]);
    cache_fixture_stop(&f);
}

TEST(a_key_may_come_twice)
{
    const sc_slice twice[] = {SC_S("k5"), SC_S("k6"), SC_S("k5")};
    struct table table = {0};
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &row, twice, 3, &table, values, errs));
    assert_slice(values[0].bytes, "v5");
    assert_slice(values[1].bytes, "v6");
    assert_slice(values[2].bytes, "v5");
    assert_int_equal(table.rows, 2);
    release(3);
    cache_fixture_stop(&f);
}

TEST(deletes_and_tags_hold_for_many_as_for_one)
{
    const sc_slice own = SC_S("own"), shared = SC_S("row");
    struct table table = {.tag = "own"};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    expect_rows(f.cache, &row, 0, 10, &table);
    assert_ok(sc_cache_del(f.other, keys[3], NULL));
    expect_rows(f.cache, &row, 0, 10, &table);
    assert_int_equal(table.rows, 11);
    assert_ok(sc_cache_del_tags(f.other, &own, 1));
    expect_rows(f.cache, &row, 0, 10, &table);
    assert_int_equal(table.rows, 21);
    assert_ok(sc_cache_del_tags(f.other, &shared, 1));
    assert_ok(sc_cache_get_many(f.cache, keys, 10, values));
    for (int i = 0; i < 10; i++)
        assert_int_equal(values[i].source, SC_CACHE_MISS);
    expect_rows(f.cache, &row, 0, 10, &table);
    assert_int_equal(table.rows, 31);
    cache_fixture_stop(&f);
}

struct caller {
    pthread_t thread;
    sc_cache *cache;
    struct cache_source *source;
    sc_cache_value value;
};

static const sc_cache_def single = {.ttl_ms = 60000, .load = cache_load};

static void *fetch(void *arg)
{
    struct caller *c = arg;

    if (sc_cache_fetch(c->cache, &single, SC_S("k1"), c->source, &c->value))
        abort();
    return NULL;
}

static void *open_later(void *arg)
{
    struct caller *c = arg;

    /* The others of the slice are stored: only k1 is still waited for. */
    while (strcmp(test_redis((struct test_server *)c->value.owner, "STRLEN k2"), "0") == 0 ||
           atol(test_redis((struct test_server *)c->value.owner, "STRLEN k2")) == 48)
        sched_yield();
    cache_source_open(c->source);
    return NULL;
}

/* One of the keys is being loaded already, here or elsewhere: that load is waited for, and not done again. */
static void shares_a_load(bool elsewhere)
{
    static const sc_cache_def many = {.ttl_ms = 60000, .load_many = load_rows};
    struct cache_source source = CACHE_SOURCE("theirs");
    struct table table = {0};
    struct cache_fixture f;
    struct caller caller, opener;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    caller = (struct caller){.cache = elsewhere ? f.other : f.cache, .source = &source};
    opener = (struct caller){.source = &source, .value = {.owner = &f.server}};
    cache_source_close(&source);
    pthread_create(&caller.thread, NULL, fetch, &caller);
    cache_source_wait(&source, 1);
    pthread_create(&opener.thread, NULL, open_later, &opener);
    assert_ok(sc_cache_fetch_many(f.cache, &many, keys, 3, &table, values, errs));
    pthread_join(opener.thread, NULL);
    pthread_join(caller.thread, NULL);

    assert_slice(values[0].bytes, "v0");
    assert_slice(values[1].bytes, "theirs");
    assert_slice(values[2].bytes, "v2");
    assert_int_equal(table.rows, 2);
    sc_cache_value_release(&caller.value);
    release(3);
    cache_fixture_stop(&f);
}

TEST(a_key_that_another_thread_loads_is_shared)
{
    shares_a_load(false);
}

TEST(a_key_that_another_process_loads_is_shared)
{
    shares_a_load(true);
}

TEST(a_loader_of_many_that_asks_for_one_of_its_keys_is_told_so)
{
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    table.cache = f.cache;
    expect_rows(f.cache, &row, 0, 2, &table);
    assert_int_equal(table.inner_err, SC_EDEADLK);
    cache_fixture_stop(&f);
}

TEST(bad_keys_and_definitions_of_many_are_refused)
{
    const sc_slice bad[] = {SC_S("k1"), SC_S("")};
    static const sc_cache_def none = {.ttl_ms = 60000};
    struct table table = {0};
    struct cache_fixture f;

    cache_fixture_start(&f);
    assert_ok(sc_cache_fetch_many(f.cache, &row, bad, 2, &table, values, errs));
    assert_int_equal(errs[0], SC_OK);
    assert_int_equal(errs[1], SC_EINVAL);
    sc_cache_value_release(&values[0]);
    assert_err(sc_cache_get_many(f.cache, bad, 2, values), SC_EINVAL);
    assert_err(sc_cache_fetch_many(f.cache, &none, bad, 1, &table, values, errs), SC_EINVAL);
    assert_err(sc_cache_fetch_many(f.cache, NULL, bad, 1, &table, values, errs), SC_EINVAL);
    assert_err(sc_cache_store_many(f.cache, &row, &(sc_cache_item){SC_S(""), SC_S("v")}, 1),
               SC_EINVAL);
    cache_fixture_stop(&f);
}

TEST(many_are_stored_with_two_commands)
{
    static sc_cache_item items[MAX];
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    for (int i = 0; i < MAX; i++)
        items[i] = (sc_cache_item){keys[i], SC_S("old")};
    assert_ok(sc_cache_store_many(f.cache, &row, items, MAX));
    test_redis(&f.server, "CONFIG RESETSTAT");
    for (int i = 0; i < 100; i++)
        items[i].bytes = SC_S("new");
    assert_ok(sc_cache_store_many(f.cache, &row, items, 100));
    assert_int_equal(cache_calls(&f.server, "evalsha"), 2);
    assert_ok(sc_cache_fetch_many(f.other, &row, keys, MAX, &table, values, errs));
    assert_slice(values[0].bytes, "new");
    assert_slice(values[99].bytes, "new");
    assert_slice(values[100].bytes, "old");
    assert_int_equal(table.calls, 0);
    release(MAX);
    cache_fixture_stop(&f);
}

TEST(many_plain_values_lie_as_they_are)
{
    static const sc_cache_def plain = {.ttl_ms = 60000, .plain = true, .load_many = load_rows};
    const sc_cache_item items[] = {{SC_S("k0"), SC_S("a")}, {SC_S("k1"), SC_S("b")}};
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    expect_rows(f.cache, &plain, 2, 2, &table);
    assert_string_equal(test_redis(&f.server, "GET k2"), "v2");
    assert_ok(sc_cache_store_many(f.cache, &plain, items, 2));
    assert_string_equal(test_redis(&f.server, "MGET k0 k1"), "a b");
    expect_rows(f.other, &plain, 2, 2, &table);
    assert_int_equal(table.calls, 1);
    cache_fixture_stop(&f);
}

TEST(without_redis_many_are_loaded_by_one_call)
{
    struct table table = {0};
    struct cache_fixture f;
    sc_cache *cache;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    assert_ok(sc_cache_new(f.client, &(sc_cache_opts){.timeout_ms = 50}, &cache, NULL));
    test_server_kill(&f.server, 9);
    expect_rows(cache, &row, 0, 100, &table);
    assert_int_equal(table.calls, 1);
    assert_ok(sc_cache_get_many(cache, keys, 100, values));
    assert_int_equal(values[0].source, SC_CACHE_MISS);
    sc_cache_free(cache);
    cache_fixture_stop(&f);
}

TEST(old_values_among_many_are_given_and_loaded_anew_behind)
{
    static const sc_cache_def lasting = {
        .ttl_ms = 60000, .grace_ms = 600000, .load_many = load_rows};
    struct table table = {0};
    struct cache_fixture f;

    cache_make_keys(texts, keys, MAX);
    cache_fixture_start(&f);
    expect_rows(f.cache, &lasting, 0, 3, &table);
    assert_ok(sc_cache_expire(f.other, keys[1]));
    assert_ok(sc_cache_fetch_many(f.cache, &lasting, keys, 3, &table, values, errs));
    assert_true(values[1].stale);
    assert_slice(values[1].bytes, "v1");
    release(3);
    wait_until(atomic_load(&table.calls) == 2);
    cache_fixture_stop(&f);
}

TEST(a_cache_without_a_server_takes_many_too)
{
    const sc_cache_item items[] = {{SC_S("k0"), SC_S("v0")}};
    const sc_slice tag = SC_S("row");
    struct table table = {.lacks = "k9"};
    sc_cache *cache;

    cache_make_keys(texts, keys, MAX);
    assert_ok(sc_cache_new(NULL, NULL, &cache, NULL));
    assert_ok(sc_cache_store_many(cache, &row, items, 1));
    expect_rows(cache, &row, 0, 5, &table);
    assert_int_equal(table.rows, 4);
    expect_rows(cache, &row, 0, 5, &table);
    assert_int_equal(table.calls, 1);
    assert_ok(sc_cache_get_many(cache, keys, 6, values));
    assert_slice(values[4].bytes, "v4");
    assert_int_equal(values[5].source, SC_CACHE_MISS);
    release(6);
    assert_ok(sc_cache_del_tags(cache, &tag, 1));
    expect_rows(cache, &row, 0, 5, &table);
    assert_int_equal(table.rows, 9);
    assert_ok(sc_cache_fetch_many(cache, &row, keys + 9, 1, &table, values, errs));
    assert_true(values[0].none);
    sc_cache_free(cache);
}
