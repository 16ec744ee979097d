/* cache/tag_guess.c */
#include "cache/tag_guess.h"

#include "support/test.h"

static void expect(sc__tag_guesses *guesses, const char *key, const char *const *names,
                   size_t count)
{
    sc__tag_keys keys;

    sc__tag_keys_init(&keys, SC_S("p:"));
    sc__tag_guesses_add(guesses, sc_slice_of(key), &keys);
    assert_int_equal(keys.count, count);
    for (size_t i = 0; i < count; i++)
        assert_slice(keys.tags[i], names[i]);
}

TEST(what_was_noted_last_is_guessed)
{
    const sc_slice two[] = {SC_S("one"), SC_S("two")}, three = SC_S("three");
    sc__tag_guesses guesses;

    sc__tag_guesses_init(&guesses);
    expect(&guesses, "k", NULL, 0);
    sc__tag_guesses_note(&guesses, SC_S("k"), two, 2);
    sc__tag_guesses_note(&guesses, SC_S("l"), &three, 1);
    expect(&guesses, "k", (const char *[]){"one", "two"}, 2);
    expect(&guesses, "l", (const char *[]){"three"}, 1);
    expect(&guesses, "m", NULL, 0);

    sc__tag_guesses_note(&guesses, SC_S("k"), &three, 1);
    expect(&guesses, "k", (const char *[]){"three"}, 1);
    sc__tag_guesses_note(&guesses, SC_S("k"), NULL, 0);
    expect(&guesses, "k", NULL, 0);
    sc__tag_guesses_release(&guesses);
}

TEST(it_takes_no_more_memory_than_its_places)
{
    static char name[SC__TAG_LEN_MAX];
    const sc_slice large[] = {{name, 255}, {name, 254}, {name, 253}};
    sc__tag_guesses guesses;
    char key[16];

    memset(name, 'n', sizeof(name));
    sc__tag_guesses_init(&guesses);
    sc__tag_guesses_note(&guesses, SC_S("k"), large, 3);
    expect(&guesses, "k", NULL, 0);
    for (int i = 0; i < 3 * SC__TAG_GUESSES; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        sc__tag_guesses_note(&guesses, sc_slice_of(key), &SC_S("t"), 1);
    }
    expect(&guesses, key, (const char *[]){"t"}, 1);
    sc__tag_guesses_release(&guesses);
}

TEST(a_guess_never_exceeds_what_fits)
{
    sc__tag_guesses guesses;
    sc__tag_keys keys;
    char name[8];

    sc__tag_guesses_init(&guesses);
    sc__tag_guesses_note(&guesses, SC_S("k"), &SC_S("more"), 1);
    sc__tag_keys_init(&keys, SC_S(""));
    for (int i = 0; i < SC__TAGS_MAX; i++) {
        snprintf(name, sizeof(name), "t%d", i);
        assert_ok(sc__tag_keys_add(&keys, sc_slice_of(name)));
    }
    sc__tag_guesses_add(&guesses, SC_S("k"), &keys);
    assert_int_equal(keys.count, SC__TAGS_MAX);
    sc__tag_guesses_release(&guesses);
}
