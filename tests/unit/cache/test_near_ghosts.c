/* cache/near_ghosts.c: what left not long ago */
#include "cache/near_ghosts.h"
#include "support/test.h"

/* A hash of good bits. */
static uint64_t hash_of(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ number >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return number ^ number >> 32;
}

static void add_many(sc__near_ghosts *ghosts, uint64_t first, uint64_t count)
{
    for (uint64_t i = first; i < first + count; i++)
        sc__near_ghosts_add(ghosts, hash_of(i));
}

static uint64_t taken_of(sc__near_ghosts *ghosts, uint64_t first, uint64_t count)
{
    uint64_t taken = 0;

    for (uint64_t i = first; i < first + count; i++)
        taken += sc__near_ghosts_take(ghosts, hash_of(i));
    return taken;
}

TEST(a_ghost_is_taken_once)
{
    sc__near_ghosts ghosts;

    assert_ok(sc__near_ghosts_init(&ghosts, 10));
    ghosts.remember = 10;
    sc__near_ghosts_add(&ghosts, hash_of(1));
    sc__near_ghosts_add(&ghosts, hash_of(1));

    assert_false(sc__near_ghosts_take(&ghosts, hash_of(2)));
    assert_true(sc__near_ghosts_take(&ghosts, hash_of(1)));
    assert_false(sc__near_ghosts_take(&ghosts, hash_of(1)));
    sc__near_ghosts_release(&ghosts);
}

/* Few of another number, for places and fingerprints are shared. */
TEST(the_last_ones_are_remembered_and_no_others)
{
    static const uint64_t counts[] = {100, 8192, 100000};

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        const uint64_t count = counts[i], few = count / 100 + 3;
        sc__near_ghosts ghosts;

        assert_ok(sc__near_ghosts_init(&ghosts, count));
        ghosts.remember = count;
        add_many(&ghosts, 0, count * 10);
        assert_in_range(taken_of(&ghosts, 0, count * 9), 0, few);
        assert_in_range(taken_of(&ghosts, count * 9, count), count - few, count);
        sc__near_ghosts_release(&ghosts);
    }
}

TEST(those_of_long_ago_do_not_come_back_when_time_wraps_around)
{
    sc__near_ghosts ghosts;

    assert_ok(sc__near_ghosts_init(&ghosts, 1000));
    ghosts.remember = 1000;
    add_many(&ghosts, 0, 1000);
    add_many(&ghosts, 1000, UINT16_MAX - 500);

    assert_in_range(taken_of(&ghosts, 0, 1000), 0, 10);
    assert_in_range(taken_of(&ghosts, UINT16_MAX - 500, 1000), 990, 1000);
    sc__near_ghosts_release(&ghosts);
}
