/* cache/journal.c */
#include "cache/journal.h"
#include "base/mem.h"
#include "support/test.h"

static sc__journal journal;

static bool add(int number)
{
    char key[16];

    snprintf(key, sizeof(key), "k%d", number);
    return sc__journal_add(&journal, sc_slice_of(key));
}

TEST(a_key_stays_until_it_was_deleted)
{
    sc_slice keys[8];

    sc__journal_init(&journal);
    assert_true(add(1) && add(2) && add(1));

    assert_int_equal(sc__journal_take(&journal, keys, 8), 2);
    assert_slice(keys[0], "k1");
    assert_slice(keys[1], "k2");
    sc__journal_settle(&journal, false);
    assert_true(sc__journal_has(&journal, SC_S("k1")));
    assert_int_equal(sc__journal_take(&journal, keys, 1), 1);
    sc__journal_settle(&journal, true);

    assert_false(sc__journal_has(&journal, SC_S("k1")));
    assert_true(sc__journal_has(&journal, SC_S("k2")));
    assert_int_equal(sc__journal_count(&journal), 1);
    sc__journal_release(&journal);
}

TEST(a_key_that_was_added_again_meanwhile_is_deleted_again)
{
    sc_slice keys[8];

    sc__journal_init(&journal);
    assert_true(add(1) && add(2));
    assert_int_equal(sc__journal_take(&journal, keys, 8), 2);
    assert_true(add(2) && add(3));
    sc__journal_settle(&journal, true);

    assert_int_equal(sc__journal_take(&journal, keys, 8), 2);
    assert_slice(keys[0], "k2");
    assert_slice(keys[1], "k3");
    sc__journal_settle(&journal, true);
    assert_int_equal(sc__journal_count(&journal), 0);
    sc__journal_release(&journal);
}

TEST(the_newest_win_over_the_ceiling)
{
    sc_slice keys[2];

    sc__journal_init(&journal);
    for (int i = 0; i < SC__JOURNAL_KEYS_MAX; i++)
        assert_true(add(i));
    assert_int_equal(sc__journal_take(&journal, keys, 2), 2);

    assert_false(add(SC__JOURNAL_KEYS_MAX));

    assert_int_equal(sc__journal_count(&journal), SC__JOURNAL_KEYS_MAX);
    assert_true(sc__journal_has(&journal, SC_S("k0"))); /* taken: on its way to the server */
    assert_slice(keys[1], "k1");
    assert_false(sc__journal_has(&journal, SC_S("k2")));
    assert_true(sc__journal_has(&journal, SC_S("k10000")));
    sc__journal_release(&journal);
}

TEST(the_ceiling_counts_bytes_too)
{
    enum { SIZE = 1024 * 1024 };
    char *key = sc__calloc(1, SIZE);

    sc__journal_init(&journal);
    for (int i = 0; i < 9; i++) {
        key[0] = (char)i;
        assert_int_equal(sc__journal_add(&journal, (sc_slice){key, SIZE}), i < 8);
    }

    assert_int_equal(sc__journal_count(&journal), 8);
    key[0] = 0;
    assert_false(sc__journal_has(&journal, (sc_slice){key, SIZE}));
    sc_free(key);
    sc__journal_release(&journal);
}
