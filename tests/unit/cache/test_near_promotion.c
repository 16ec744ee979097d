/* cache/near_promotion.c: one use or two */
#include "cache/near_promotion.h"
#include "support/test.h"

/* `count` values of each kind end their trial; so many of a hundred were used. */
static void try_many(sc__near_promotion *p, int count, int used_one, int used_more)
{
    for (int i = 0; i < count; i++) {
        sc__near_promotion_result(p, SC__NEAR_CAME_WITH_ONE, i % 100 < used_one, 100);
        sc__near_promotion_result(p, SC__NEAR_CAME_WITH_MORE, i % 100 < used_more, 100);
    }
}

static int granted_of_320(sc__near_promotion *p, unsigned uses)
{
    uint8_t trial;
    int granted = 0;

    for (int i = 0; i < 320; i++)
        granted += sc__near_promotion_grants(p, uses, &trial);
    return granted;
}

TEST(a_trial_is_known_by_its_uses)
{
    sc__near_promotion p = {0};
    uint8_t trial;

    (void)sc__near_promotion_grants(&p, 1, &trial);
    assert_int_equal(trial, SC__NEAR_CAME_WITH_ONE);
    assert_true(sc__near_promotion_grants(&p, 3, &trial));
    assert_int_equal(trial, SC__NEAR_CAME_WITH_MORE);
}

TEST(two_uses_are_asked_for_until_something_is_known_but_a_few_are_tried_with_one)
{
    sc__near_promotion p = {0};

    assert_int_equal(granted_of_320(&p, 1), 10);
    assert_int_equal(granted_of_320(&p, 2), 320);
    assert_int_equal(granted_of_320(&p, 0), 0);
}

TEST(and_where_one_promises_little)
{
    sc__near_promotion p = {0};

    try_many(&p, 1000, 60, 20);
    try_many(&p, 1000, 20, 20);

    assert_int_equal(granted_of_320(&p, 1), 10);
    assert_int_equal(granted_of_320(&p, 2), 320);
    assert_int_equal(granted_of_320(&p, 0), 0);
}

TEST(it_turns_with_what_it_sees)
{
    sc__near_promotion p = {0};

    try_many(&p, 1000, 60, 20);
    assert_int_equal(granted_of_320(&p, 1), 320);
    try_many(&p, 1000, 10, 20);
    assert_int_equal(granted_of_320(&p, 1), 10);
    try_many(&p, 1000, 60, 20);

    assert_int_equal(granted_of_320(&p, 1), 320);
}
