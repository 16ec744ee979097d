/* cache/near.c: what is held, found and given up */
#include <malloc.h>

#include "base/mem.h"
#include "cache/near.h"
#include "support/alloc.h"
#include "support/test.h"

enum { NOW = 1000000 };

static sc__near *near_of(size_t bytes, size_t entries)
{
    sc__near *near;

    assert_ok(sc__near_new(&(sc__near_opts){bytes, entries, true, NOW}, &near));
    return near;
}

static sc__near_item item_of(const char *key, const char *value)
{
    return (sc__near_item){.key = sc_slice_of(key),
                           .value = sc_slice_of(value),
                           .expires_ms = INT64_MAX,
                           .soft_ms = INT64_MAX,
                           .stored_ms = NOW,
                           .birth = 1};
}

static void put(sc__near *near, const char *key, const char *value)
{
    sc__near_item item = item_of(key, value);

    assert_ok(sc__near_put(near, &item));
}

static void put_number(sc__near *near, int number)
{
    char key[16];

    snprintf(key, sizeof(key), "k%d", number);
    put(near, key, key);
}

static sc__near_state find_at(sc__near *near, const char *key, int64_t now_ms, char value[64])
{
    sc__near_section section = sc__near_enter(near);
    const sc__near_entry *entry;
    sc__near_state state = sc__near_find(near, sc_slice_of(key), now_ms, &entry);

    value[0] = '\0';
    if (state != SC__NEAR_MISS)
        snprintf(value, 64, "%s", sc__near_value(entry).ptr);
    sc__near_leave(&section, state != SC__NEAR_MISS);
    return state;
}

static bool has(sc__near *near, const char *key)
{
    char value[64];

    return find_at(near, key, NOW, value) != SC__NEAR_MISS;
}

static bool has_number(sc__near *near, int number)
{
    char key[16];

    snprintf(key, sizeof(key), "k%d", number);
    return has(near, key);
}

static sc__near_stats stats_of(sc__near *near)
{
    sc__near_stats stats;

    sc__near_stats_get(near, &stats);
    return stats;
}

TEST(a_value_is_found_until_it_is_deleted)
{
    sc__near *near = near_of(1 << 20, 0);
    char value[64];

    put(near, "a", "1");
    put(near, "b", "");
    put(near, "a", "2");

    assert_int_equal(find_at(near, "a", NOW, value), SC__NEAR_FRESH);
    assert_string_equal(value, "2");
    assert_int_equal(find_at(near, "b", NOW, value), SC__NEAR_FRESH);
    assert_string_equal(value, "");
    assert_true(sc__near_del(near, SC_S("a")));
    assert_false(sc__near_del(near, SC_S("a")));
    assert_false(has(near, "a"));
    assert_int_equal(stats_of(near).hits, 2);
    assert_int_equal(stats_of(near).misses, 1);
    assert_int_equal(stats_of(near).entries, 1);
    sc__near_free(near);
}

TEST(keys_and_values_are_bytes)
{
    sc__near *near = near_of(1 << 20, 0);
    sc__near_item item = item_of("", "");
    sc__near_section section;
    const sc__near_entry *entry;

    item.key = SC_S("a\0b");
    item.value = SC_S("\0\xff\0");
    assert_ok(sc__near_put(near, &item));

    section = sc__near_enter(near);
    assert_int_equal(sc__near_find(near, SC_S("a"), NOW, &entry), SC__NEAR_MISS);
    assert_int_equal(sc__near_find(near, SC_S("a\0b"), NOW, &entry), SC__NEAR_FRESH);
    assert_true(sc_slice_eq(sc__near_value(entry), SC_S("\0\xff\0")));
    assert_int_equal(sc__near_value(entry).ptr[3], '\0');
    assert_true(sc_slice_eq(sc__near_key(entry), SC_S("a\0b")));
    sc__near_leave(&section, true);
    sc__near_free(near);
}

TEST(a_value_keeps_what_came_with_it)
{
    sc__near *near = near_of(1 << 20, 0);
    sc__near_item item = item_of("k", "v");
    sc__near_section section;
    const sc__near_entry *entry;

    item.expires_ms = NOW + 20;
    item.soft_ms = NOW + 10;
    item.stored_ms = NOW - 5;
    item.birth = 7;
    item.kind = 'N';
    item.flags = 3;
    assert_ok(sc__near_put(near, &item));

    section = sc__near_enter(near);
    assert_int_equal(sc__near_find(near, SC_S("k"), NOW + 9, &entry), SC__NEAR_FRESH);
    assert_int_equal(sc__near_find(near, SC_S("k"), NOW + 10, &entry), SC__NEAR_STALE);
    assert_int_equal(entry->expires_ms, NOW + 20);
    assert_int_equal(entry->stored_ms, NOW - 5);
    assert_int_equal(entry->birth, 7);
    assert_int_equal(entry->kind, 'N');
    assert_int_equal(entry->flags, 3);
    assert_int_equal(sc__near_find(near, SC_S("k"), NOW + 20, &entry), SC__NEAR_MISS);
    sc__near_leave(&section, true);
    sc__near_free(near);
}

TEST(a_pinned_value_outlives_its_removal_and_the_cache)
{
    sc__near *near = near_of(1 << 20, 0);
    sc__near_section section;
    const sc__near_entry *entry;
    void *pin;

    put(near, "k", "v");
    section = sc__near_enter(near);
    assert_int_equal(sc__near_find(near, SC_S("k"), NOW, &entry), SC__NEAR_FRESH);
    pin = sc__near_pin(near, &section, entry);
    sc__near_leave(&section, true);

    sc__near_del(near, SC_S("k"));
    sc__near_free(near);

    assert_slice(sc__near_value(entry), "v");
    sc__near_unpin(pin);
}

TEST(what_a_reader_sees_is_freed_when_he_has_left)
{
    sc__near *near = near_of(1 << 20, 0);
    const size_t empty = stats_of(near).bytes;
    sc__near_section section;
    const sc__near_entry *entry;

    put(near, "k", "v");
    section = sc__near_enter(near);
    assert_int_equal(sc__near_find(near, SC_S("k"), NOW, &entry), SC__NEAR_FRESH);
    sc__near_del(near, SC_S("k"));

    assert_true(sc__near_sweep(near, NOW)); /* something waits */
    assert_slice(sc__near_value(entry), "v");
    assert_true(stats_of(near).bytes > empty);
    sc__near_leave(&section, true);
    sc__near_sweep(near, NOW);
    assert_false(sc__near_sweep(near, NOW));
    assert_int_equal(stats_of(near).bytes, empty);
    sc__near_free(near);
}

TEST(a_reader_who_stays_makes_puts_fail_not_the_memory_grow)
{
    sc__near *near = near_of(1 << 20, 0);
    sc__near_section section = sc__near_enter(near);
    char *large = sc__calloc(1, 100000);
    sc__near_item item = item_of("k", "");
    sc_err err = SC_OK;
    int puts = 0;

    item.value = (sc_slice){large, 100000};
    while (!err && puts < 1000) {
        err = sc__near_put(near, &item);
        puts++;
    }

    assert_int_equal(err, SC_EBUSY);
    assert_false(has(near, "k"));
    assert_true(stats_of(near).bytes < 10 << 20);
    sc__near_leave(&section, false);
    sc__near_sweep(near, NOW);
    sc__near_sweep(near, NOW);
    assert_ok(sc__near_put(near, &item));
    sc_free(large);
    sc__near_free(near);
}

/* Hundreds of thousands may wait for one reader. */
TEST(what_a_reader_held_up_is_freed_bit_by_bit)
{
    sc__near *near = near_of(64 << 20, 0);
    const size_t empty = stats_of(near).bytes;
    sc__near_section section;
    size_t before;

    for (int i = 0; i < 10000; i++)
        put_number(near, i);
    section = sc__near_enter(near);
    sc__near_clear(near);
    (void)sc__near_sweep(near, NOW);
    sc__near_leave(&section, false);
    before = stats_of(near).bytes;
    assert_int_equal(stats_of(near).entries, 0);
    put_number(near, 1);
    (void)sc__near_del(near, SC_S("k1"));

    assert_in_range(before - stats_of(near).bytes, 1, before / 100);
    (void)sc__near_sweep(near, NOW);
    assert_int_equal(stats_of(near).bytes, empty);
    assert_false(sc__near_sweep(near, NOW));
    sc__near_free(near);
}

TEST(a_cleared_cache_gives_nothing_and_frees_all)
{
    sc__near *near = near_of(1 << 20, 0);
    const size_t empty = stats_of(near).bytes;

    for (int i = 0; i < 2000; i++)
        put_number(near, i);
    sc__near_clear(near);
    for (int i = 0; i < 2000; i++)
        assert_false(has_number(near, i));
    put_number(near, 7);
    assert_true(has_number(near, 7));
    sc__near_clear(near);

    assert_false(has_number(near, 7));
    while (sc__near_sweep(near, NOW))
        ;
    assert_int_equal(stats_of(near).entries, 0);
    assert_int_equal(stats_of(near).bytes, empty);
    assert_int_equal(stats_of(near).evicted, 0);
    sc__near_free(near);
}

/* bounds */

TEST(a_cache_without_bound_is_refused)
{
    sc__near *near;

    assert_err(sc__near_new(&(sc__near_opts){0, 0, true, NOW}, &near), SC_EINVAL);
}

TEST(a_cache_of_one_entry_has_the_last_one)
{
    sc__near *near = near_of(0, 1);

    for (int i = 0; i < 100; i++) {
        put_number(near, i);
        assert_true(has_number(near, i));
        assert_false(i && has_number(near, i - 1));
    }

    assert_int_equal(stats_of(near).entries, 1);
    assert_int_equal(stats_of(near).evicted, 99);
    sc__near_free(near);
}

TEST(bounds_hold_for_any_number)
{
    for (size_t entries = 1; entries < 40; entries++) {
        sc__near *near = near_of(0, entries);

        for (int i = 0; i < 500; i++) {
            put_number(near, i);
            (void)has_number(near, i * 7 % (i + 1));
            assert_true(stats_of(near).entries <= entries);
        }
        assert_int_equal(stats_of(near).entries, entries);
        sc__near_free(near);
    }
}

TEST(bytes_stay_below_their_bound_whatever_the_sizes)
{
    const size_t bound = 256 * 1024;
    sc__near *near = near_of(bound, 0);
    char *bytes = sc__calloc(1, 64 * 1024);

    for (int i = 0; i < 20000; i++) {
        char key[16];
        sc__near_item item;

        snprintf(key, sizeof(key), "k%d", i % 3000);
        item = item_of(key, "");
        item.value = (sc_slice){bytes, (size_t)(i * 7919 % (i % 50 ? 400 : 64 * 1024))};
        assert_ok(sc__near_put(near, &item));
        assert_true(stats_of(near).bytes <= bound);
    }

    assert_true(stats_of(near).bytes > bound * 3 / 4);
    sc_free(bytes);
    sc__near_free(near);
}

TEST(a_value_larger_than_the_cache_is_refused_and_the_one_before_it_is_gone)
{
    sc__near *near = near_of(64 * 1024, 0);
    char *large = sc__calloc(1, 64 * 1024);
    sc__near_item item = item_of("a", "");

    put(near, "a", "1");
    put(near, "b", "1");
    item.value = (sc_slice){large, 64 * 1024};

    assert_err(sc__near_put(near, &item), SC_ETOOBIG);
    assert_false(has(near, "a"));
    assert_true(has(near, "b"));
    item.value.len = 8;
    item.tag_count = SC__NEAR_TAGS_MAX + 1;
    assert_err(sc__near_put(near, &item), SC_ETOOBIG);
    sc_free(large);
    sc__near_free(near);
}

TEST(a_value_as_large_as_the_cache_is_held_alone)
{
    const size_t bound = 64 * 1024;
    sc__near *near = near_of(bound, 0);
    char *large = sc__calloc(1, bound);
    sc__near_item item = item_of("large", "");
    sc_err err = SC_ETOOBIG;

    put(near, "small", "1");
    for (item.value = (sc_slice){large, bound}; err == SC_ETOOBIG; item.value.len--)
        err = sc__near_put(near, &item);

    assert_ok(err);
    assert_true(has(near, "large"));
    assert_false(has(near, "small"));
    assert_int_equal(stats_of(near).entries, 1);
    assert_in_range(stats_of(near).bytes, bound - 16, bound);
    put(near, "small", "1");
    assert_false(has(near, "large"));
    assert_true(has(near, "small"));
    sc_free(large);
    sc__near_free(near);
}

/* who leaves */

TEST(what_is_used_once_passes_by_what_is_used_often)
{
    sc__near *near = near_of(0, 100);

    for (int i = 0; i < 50; i++)
        put_number(near, i);
    for (int i = 0; i < 100; i++)
        assert_true(has_number(near, i % 50));
    for (int i = 1000; i < 5000; i++)
        put_number(near, i);

    for (int i = 0; i < 50; i++)
        assert_true(has_number(near, i));
    sc__near_free(near);
}

/* How many of 20 keys are there. */
static int count_of(sc__near *near, int first)
{
    int count = 0;

    for (int i = first; i < first + 20; i++)
        count += has_number(near, i);
    return count;
}

/* Most of them: a ghost may have to make room for another, or be taken for another. */
TEST(what_comes_back_soon_after_it_left_stays)
{
    sc__near *near = near_of(0, 100);

    for (int i = 0; i < 200; i++)
        put_number(near, i);
    assert_in_range(count_of(near, 150), 0, 2);
    for (int i = 150; i < 170; i++)
        put_number(near, i);
    for (int i = 1000; i < 1080; i++)
        put_number(near, i);

    assert_in_range(count_of(near, 150), 15, 20);
    sc__near_free(near);
}

TEST(what_was_used_and_is_deleted_returns_to_its_place)
{
    sc__near *near = near_of(0, 200);

    for (int i = 0; i < 300; i++)
        put_number(near, i);
    assert_int_equal(count_of(near, 280), 20);
    for (int i = 280; i < 300; i++) {
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        assert_true(sc__near_del(near, sc_slice_of(key)));
    }
    for (int i = 280; i < 300; i++)
        put_number(near, i);
    for (int i = 1000; i < 1080; i++)
        put_number(near, i);

    assert_in_range(count_of(near, 280), 15, 20);
    sc__near_free(near);
}

/* How many are there of each tenth key of 100 to 289, whose load takes 100 ms, others 1 ms. */
static int dear_left(size_t dear_size, bool is_known)
{
    sc__near *near = near_of(0, 100);
    char *bytes = sc__calloc(1, dear_size);
    int left = 0;

    for (int i = 0; i < 300; i++) {
        char key[16];
        sc__near_item item;

        snprintf(key, sizeof(key), "k%d", i);
        item = item_of(key, "v");
        if (is_known)
            item.load_us = i % 10 ? 1000 : 100000;
        if (i % 10 == 0)
            item.value = (sc_slice){bytes, dear_size};
        assert_ok(sc__near_put(near, &item));
    }
    for (int i = 100; i < 290; i += 10)
        left += has_number(near, i);
    sc_free(bytes);
    sc__near_free(near);
    return left;
}

TEST(what_takes_long_to_load_stays_unless_it_takes_more_room_than_that_is_worth)
{
    assert_in_range(dear_left(1, true), 18, 19);
    assert_in_range(dear_left(1, false), 0, 1);
    assert_in_range(dear_left(100000, true), 0, 1);
}

/* Whether a dear value is still there after so many others that are all used twice. Perhaps it's then set again. */
static bool dear_stays(int others, bool is_set_again)
{
    sc__near *near = near_of(0, 100);
    sc__near_item dear = item_of("dear", "v");
    bool stays;

    dear.load_us = 1000000;
    for (int i = 0; i < 100 + others; i++) {
        char key[16];
        sc__near_item item;

        snprintf(key, sizeof(key), "k%d", i);
        item = item_of(key, key);
        item.load_us = 1000;
        assert_ok(sc__near_put(near, i == 100 ? &dear : &item));
        (void)(i != 100 && has(near, key) && has(near, key));
        if (i == 100 && is_set_again)
            put(near, "dear", "w");
    }
    stays = has(near, "dear");
    sc__near_free(near);
    return stays;
}

TEST(what_is_dear_goes_too_when_it_is_not_used_for_long)
{
    assert_true(dear_stays(200, false));
    assert_true(dear_stays(200, true));
    assert_false(dear_stays(2000, false));
}

/* time */

static void put_until(sc__near *near, int number, int64_t expires_ms)
{
    char key[16];
    sc__near_item item;

    snprintf(key, sizeof(key), "k%d", number);
    item = item_of(key, key);
    item.expires_ms = expires_ms;
    assert_ok(sc__near_put(near, &item));
}

TEST(expired_values_are_freed_within_a_second)
{
    static const int64_t ttls[] = {1,         100,       1000,       16384,      60000,
                                   3600000,   4194304,   50000000,   86400000,   268435456,
                                   536870912, 999999999, 4294967296, 10000000000};
    enum { COUNT = sizeof(ttls) / sizeof(ttls[0]) };
    sc__near *near = near_of(1 << 20, 0);

    for (int i = 0; i < COUNT; i++) {
        int64_t began = NOW + i * INT64_C(1000000000000);

        (void)sc__near_sweep(near, began);
        put_until(near, i, began + ttls[i]);
        assert_true(sc__near_sweep(near, began + ttls[i] - 1));
        assert_int_equal(stats_of(near).entries, 1);
        (void)sc__near_sweep(near, began + ttls[i] + 512);
        assert_int_equal(stats_of(near).entries, 0);
        assert_int_equal(stats_of(near).expired, i + 1);
    }

    assert_false(sc__near_sweep(near, INT64_C(1) << 62));
    sc__near_free(near);
}

TEST(a_time_beyond_all_wheels_is_kept)
{
    const int64_t year_ms = INT64_C(366) * 86400 * 1000;
    sc__near *near = near_of(1 << 20, 0);

    put_until(near, 1, NOW + 20 * year_ms);
    put_until(near, 2, INT64_MAX - 1);
    put_until(near, 3, INT64_MAX);
    for (int month = 1; month < 20 * 12; month++)
        assert_true(sc__near_sweep(near, NOW + month * year_ms / 12));
    assert_int_equal(stats_of(near).entries, 3);
    (void)sc__near_sweep(near, NOW + 20 * year_ms + 512);

    assert_int_equal(stats_of(near).entries, 2);
    sc__near_free(near);
}

TEST(values_expire_each_at_its_time)
{
    sc__near *near = near_of(8 << 20, 0);

    for (int i = 0; i < 5000; i++)
        put_until(near, i, NOW + 1 + i * 97 % 5000 * 100);
    for (int second = 1; second <= 500; second++) {
        (void)sc__near_sweep(near, NOW + second * 1000);
        assert_in_range(stats_of(near).entries, 5000 - second * 10, 5000 - second * 10 + 5);
    }

    (void)sc__near_sweep(near, NOW + 501000);
    assert_int_equal(stats_of(near).entries, 0);
    sc__near_free(near);
}

TEST(a_value_that_was_replaced_has_its_new_time)
{
    sc__near *near = near_of(1 << 20, 0);

    put_until(near, 1, NOW + 1000);
    put_until(near, 1, NOW + 100000);
    put_until(near, 2, NOW + 1000);
    put_until(near, 2, INT64_MAX);
    (void)sc__near_sweep(near, NOW + 5000);
    assert_int_equal(stats_of(near).entries, 2);
    (void)sc__near_sweep(near, NOW + 101000);

    assert_false(has_number(near, 1));
    assert_true(has_number(near, 2));
    assert_int_equal(stats_of(near).entries, 1);
    sc__near_free(near);
}

/* memory */

static size_t heap_bytes(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* Values of `least` bytes and up to as many again, of which the cache has room for a part. */
static void expect_heap_bytes(size_t least, int puts)
{
    const size_t before = heap_bytes();
    sc__near *near = near_of(8 << 20, 0);
    const sc_slice tags[] = {SC_S("t1"), SC_S("tag:of:more:letters")};
    char *bytes = sc__calloc(2, least);
    size_t heap;
    double told;

    for (int i = 0; i < puts; i++) {
        char key[64];
        sc__near_item item;

        snprintf(key, sizeof(key), "story:detail:slug=%d", i * 17 % (puts * 2 / 3));
        item = item_of(key, "");
        item.value = (sc_slice){bytes, least + (size_t)i * 7919 % least};
        item.tags = tags;
        item.tag_count = (size_t)(i % 3);
        assert_ok(sc__near_put(near, &item));
    }
    sc_free(bytes);
    told = (double)stats_of(near).bytes;
    heap = heap_bytes() - before;

    /* Under a sanitizer the heap isn't the C library's, and nothing is seen of it. */
    if (heap > 1000000)
        assert_true(told > (double)heap * 0.97 && told < (double)heap * 1.03);
    sc__near_free(near);
}

TEST(the_bytes_told_are_those_of_the_heap)
{
    expect_heap_bytes(20, 100000);
    expect_heap_bytes(100, 80000);
    expect_heap_bytes(1000, 15000);
    expect_heap_bytes(10000, 2000);
    expect_heap_bytes(1000000, 100);
}

TEST(without_memory_a_put_fails_and_nothing_is_lost)
{
    const sc_slice tags[] = {SC_S("t1"), SC_S("t2")};
    sc__near_item item = item_of("k", "v");
    sc__near *near = NULL;
    sc_err err = SC_ENOMEM;
    long fail_at;

    test_alloc_use();
    item.tags = tags;
    item.tag_count = 2;
    for (fail_at = 1; err && fail_at < 50; fail_at++) {
        atomic_store(&test_allocations, 0);
        atomic_store(&test_fail_at, fail_at);
        err = sc__near_new(&(sc__near_opts){1 << 20, 0, true, NOW}, &near);
        if (!err)
            err = sc__near_put(near, &item);
        atomic_store(&test_fail_at, 0);
        if (err) {
            assert_int_equal(err, SC_ENOMEM);
            sc__near_free(near);
            near = NULL;
            assert_int_equal(atomic_load(&test_live), 0);
        }
    }

    assert_ok(err);
    assert_true(fail_at > 7);
    assert_true(has(near, "k"));
    sc__near_free(near);
    assert_int_equal(atomic_load(&test_live), 0);
}
