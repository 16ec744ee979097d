/* cache/miss_guess.c */
#include "cache/miss_guess.h"

#include "support/test.h"

static sc_err load(sc_cache_load *load, sc_slice key, void *user)
{
    (void)load, (void)key, (void)user;
    return SC_OK;
}

static const sc_cache_def one = {.name = "one", .load = load}, two = {.name = "two", .load = load};

static void note(sc__miss_guesses *guesses, bool was_missing, int times)
{
    while (times--)
        sc__miss_guesses_note(guesses, &one, was_missing);
}

TEST(a_miss_is_expected_when_most_of_the_last_ones_were)
{
    sc__miss_guesses guesses = {0};

    assert_false(sc__miss_guesses_expect(&guesses, &one));
    note(&guesses, true, 5);
    assert_false(sc__miss_guesses_expect(&guesses, &one));
    note(&guesses, true, 1);
    assert_true(sc__miss_guesses_expect(&guesses, &one));
    note(&guesses, true, 1000);
    note(&guesses, false, 3);
    assert_true(sc__miss_guesses_expect(&guesses, &one));
    note(&guesses, false, 3);
    assert_false(sc__miss_guesses_expect(&guesses, &one));
}

TEST(one_miss_in_three_is_not_expected)
{
    sc__miss_guesses guesses = {0};

    for (int i = 0; i < 1000; i++) {
        note(&guesses, i % 3 == 0, 1);
        assert_false(sc__miss_guesses_expect(&guesses, &one));
    }
}

TEST(each_definition_has_its_own_wherever_it_lies)
{
    const sc_cache_def copy = one;
    sc__miss_guesses guesses = {0};

    note(&guesses, true, 10);
    assert_true(sc__miss_guesses_expect(&guesses, &copy));
    assert_false(sc__miss_guesses_expect(&guesses, &two));
}
