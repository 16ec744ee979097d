/* cache/near_price.c */
#include <math.h>

#include "cache/near_price.h"
#include "support/test.h"

static unsigned price_of(int64_t load_us, double share)
{
    sc__near_prices prices = {0};

    for (int i = 0; i < 10000; i++)
        (void)sc__near_price(&prices, 1000, 1);
    return sc__near_price(&prices, load_us, share);
}

TEST(a_price_is_how_often_a_load_takes_twice_the_mean)
{
    assert_int_equal(price_of(1000, 1), 0);
    assert_int_equal(price_of(1900, 1), 0);
    assert_int_equal(price_of(2100, 1), 1);
    assert_int_equal(price_of(4100, 1), 2);
    assert_int_equal(price_of(8100, 1), 3);
    assert_int_equal(price_of(INT64_MAX, 1), 3);
}

TEST(what_is_not_known_or_hardly_to_be_measured_has_none)
{
    sc__near_prices prices = {0};

    assert_int_equal(price_of(0, 1), 0);
    assert_int_equal(price_of(-1, 1), 0);
    for (int i = 0; i < 100; i++)
        assert_int_equal(sc__near_price(&prices, 1 + i % 100, 1), 0);
}

TEST(what_takes_more_room_has_to_be_worth_it)
{
    assert_int_equal(price_of(8100, 0.1), 3);
    assert_int_equal(price_of(8100, 2), 2);
    assert_int_equal(price_of(8100, 100), 0);
    assert_int_equal(price_of(8100, INFINITY), 0);
}

TEST(the_mean_goes_with_the_times)
{
    sc__near_prices prices = {0};

    for (int i = 0; i < 20000; i++)
        (void)sc__near_price(&prices, 1000, 1);
    assert_int_equal(sc__near_price(&prices, 10000, 1), 3);
    for (int i = 0; i < 20000; i++)
        (void)sc__near_price(&prices, 10000, 1);

    assert_int_equal(sc__near_price(&prices, 10000, 1), 0);
    assert_int_equal(sc__near_price(&prices, 25000, 1), 1);
}
