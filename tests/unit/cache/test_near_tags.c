/* cache/near_tags.c: values that die or age with their tags */
#include "cache/near.h"
#include "support/test.h"

enum { NOW = 1000000 };

static sc__near *near_of(bool keeps_tags)
{
    sc__near *near;

    assert_ok(sc__near_new(&(sc__near_opts){1 << 20, 0, keeps_tags, NOW}, &near));
    return near;
}

static sc_err put(sc__near *near, const char *key, uint64_t birth, const char *one, const char *two)
{
    const sc_slice tags[] = {sc_slice_of(one), sc_slice_of(two)};
    const sc__near_item item = {.key = sc_slice_of(key),
                                .value = SC_S("v"),
                                .expires_ms = INT64_MAX,
                                .soft_ms = INT64_MAX,
                                .birth = birth,
                                .tags = tags,
                                .tag_count = !!one + !!two};

    return sc__near_put(near, &item);
}

static sc__near_state find(sc__near *near, const char *key)
{
    sc__near_section section = sc__near_enter(near);
    const sc__near_entry *entry;
    sc__near_state state = sc__near_find(near, sc_slice_of(key), NOW, &entry);

    sc__near_leave(&section, state != SC__NEAR_MISS);
    return state;
}

TEST(values_of_a_deleted_tag_are_gone_and_the_others_stay)
{
    sc__near *near = near_of(true);
    uint64_t clock = sc__near_clock(near);

    assert_ok(put(near, "a", clock, "red", "large"));
    assert_ok(put(near, "b", clock, "blue", "large"));
    assert_ok(put(near, "c", clock, NULL, NULL));
    sc__near_tag_bump(near, SC_S("red"), SC__NEAR_DELETED);

    assert_int_equal(find(near, "a"), SC__NEAR_MISS);
    assert_int_equal(find(near, "b"), SC__NEAR_FRESH);
    assert_int_equal(find(near, "c"), SC__NEAR_FRESH);
    assert_ok(put(near, "a", sc__near_clock(near), "red", "large"));
    assert_int_equal(find(near, "a"), SC__NEAR_FRESH);
    sc__near_free(near);
}

TEST(values_of_an_expired_tag_are_stale)
{
    sc__near *near = near_of(true);
    uint64_t clock = sc__near_clock(near);

    assert_ok(put(near, "a", clock, "red", NULL));
    assert_ok(put(near, "b", clock, "blue", NULL));
    sc__near_tag_bump(near, SC_S("red"), SC__NEAR_EXPIRED);

    assert_int_equal(find(near, "a"), SC__NEAR_STALE);
    assert_int_equal(find(near, "b"), SC__NEAR_FRESH);
    sc__near_tag_bump(near, SC_S("red"), SC__NEAR_DELETED);
    assert_int_equal(find(near, "a"), SC__NEAR_MISS);
    sc__near_free(near);
}

TEST(a_load_that_began_before_its_tag_was_deleted_is_not_held)
{
    sc__near *near = near_of(true);
    uint64_t clock = sc__near_clock(near);

    assert_ok(put(near, "other", clock, "red", NULL));
    sc__near_tag_bump(near, SC_S("red"), SC__NEAR_DELETED);

    assert_err(put(near, "a", clock, "red", NULL), SC_ESTATE);
    assert_int_equal(find(near, "a"), SC__NEAR_MISS);
    assert_ok(put(near, "a", sc__near_clock(near), "red", NULL));
    sc__near_free(near);
}

TEST(nor_when_nobody_had_the_tag)
{
    sc__near *near = near_of(true);
    uint64_t clock = sc__near_clock(near);

    sc__near_tag_bump(near, SC_S("red"), SC__NEAR_DELETED);
    assert_err(put(near, "a", clock, "red", NULL), SC_ESTATE);
    assert_ok(put(near, "b", sc__near_clock(near), "red", NULL));

    sc__near_tag_bump(near, SC_S("red"), SC__NEAR_DELETED);
    sc__near_del(near, SC_S("b")); /* the tag goes with its last value */
    assert_err(put(near, "a", clock + 1, "red", NULL), SC_ESTATE);
    assert_ok(put(near, "a", sc__near_clock(near), "red", NULL));
    sc__near_free(near);
}

TEST(an_unknown_tag_is_asked_for_and_then_known)
{
    sc__near *near = near_of(false);
    sc_slice names[SC__NEAR_TAGS_MAX];
    sc__near_section section;
    const sc__near_entry *entry;

    assert_ok(put(near, "a", 10, "red", "blue"));
    section = sc__near_enter(near);
    assert_int_equal(sc__near_find(near, SC_S("a"), NOW, &entry), SC__NEAR_UNKNOWN);
    assert_int_equal(sc__near_unknown_tags(entry, names), 2);
    assert_slice(names[0], "red");
    assert_slice(names[1], "blue");
    sc__near_leave(&section, false);

    sc__near_tag_set(near, SC_S("red"), 9, 8);
    assert_int_equal(find(near, "a"), SC__NEAR_UNKNOWN);
    sc__near_tag_set(near, SC_S("blue"), 3, 0);
    assert_int_equal(find(near, "a"), SC__NEAR_FRESH);
    sc__near_tag_set(near, SC_S("blue"), 3, 11);
    assert_int_equal(find(near, "a"), SC__NEAR_STALE);
    sc__near_tag_set(near, SC_S("blue"), 11, 0);
    assert_int_equal(find(near, "a"), SC__NEAR_MISS);
    sc__near_tag_unknown(near, SC_S("blue"));
    assert_int_equal(find(near, "a"), SC__NEAR_UNKNOWN);
    sc__near_tag_set(near, SC_S("red"), 12, 0);
    assert_int_equal(find(near, "a"), SC__NEAR_MISS);
    sc__near_free(near);
}

TEST(a_cleared_cache_knows_no_tags_any_more)
{
    sc__near *near = near_of(false);

    assert_ok(put(near, "a", 10, "red", NULL));
    sc__near_tag_set(near, SC_S("red"), 5, 0);
    for (int i = 0; i < 200; i++) { /* so that the tag outlives the clear */
        char key[16];

        snprintf(key, sizeof(key), "k%d", i);
        assert_ok(put(near, key, 10, "red", NULL));
    }
    assert_int_equal(find(near, "k1"), SC__NEAR_FRESH);
    sc__near_clear(near);
    assert_ok(put(near, "a", 10, "red", NULL));

    assert_int_equal(find(near, "a"), SC__NEAR_UNKNOWN);
    sc__near_free(near);
}

TEST(tags_go_with_their_last_value)
{
    sc__near *near = near_of(false);
    sc__near_stats empty, stats;

    sc__near_stats_get(near, &empty);
    for (int i = 0; i < 100; i++) {
        char name[16];

        snprintf(name, sizeof(name), "t%d", i);
        assert_ok(put(near, "k", 1, name, "all"));
    }
    sc__near_del(near, SC_S("k"));
    while (sc__near_sweep(near, NOW))
        ;

    sc__near_stats_get(near, &stats);
    assert_int_equal(stats.bytes, empty.bytes);
    sc__near_free(near);
}
