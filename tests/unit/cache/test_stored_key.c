/* cache/stored_key.c */
#include "cache/stored_key.h"
#include "support/test.h"

TEST(a_key_up_to_the_limit_stands_as_it_is)
{
    char room[SC__STORED_KEY_LEN];
    sc_slice key = SC_S("sc:story:detail");

    assert_ptr_equal(sc__stored_key(key, key.len, room).ptr, key.ptr);
    assert_int_equal(sc__stored_key(key, key.len, room).len, key.len);
}

TEST(a_longer_key_is_its_beginning_and_its_hash)
{
    char room[SC__STORED_KEY_LEN], key[200];
    sc_slice stored;

    memset(key, 'k', sizeof(key));
    assert_slice(sc__stored_key(SC_S("abc"), 2, room),
                 "abc#ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");

    stored = sc__stored_key((sc_slice){key, sizeof(key)}, 199, room);
    assert_int_equal(stored.len, SC__STORED_KEY_LEN);
    assert_memory_equal(stored.ptr, key, SC__STORED_KEY_HEAD);
    assert_int_equal(stored.ptr[SC__STORED_KEY_HEAD], '#');
}

TEST(keys_that_differ_at_their_end_are_stored_apart)
{
    char one[SC__STORED_KEY_LEN], two[SC__STORED_KEY_LEN], key[500];

    memset(key, 'k', sizeof(key));
    sc__stored_key((sc_slice){key, sizeof(key)}, 100, one);
    key[499] = 'x';
    sc__stored_key((sc_slice){key, sizeof(key)}, 100, two);

    assert_memory_not_equal(one, two, sizeof(one));
}

TEST(no_character_is_cut)
{
    char room[SC__STORED_KEY_LEN], key[300];
    static const char *const letters[] = {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x93\x96"};

    for (size_t i = 0; i < 3; i++) {
        size_t len = strlen(letters[i]), cut;

        memset(key, 'k', sizeof(key));
        memcpy(key + SC__STORED_KEY_HEAD - len + 1, letters[i],
               len); /* its last byte is the 129th */
        cut = (size_t)((char *)memchr(sc__stored_key((sc_slice){key, sizeof(key)}, 100, room).ptr,
                                      '#', SC__STORED_KEY_LEN) -
                       room);
        assert_int_equal(cut, SC__STORED_KEY_HEAD - len + 1);
    }
    memset(key, '\x80', sizeof(key)); /* bytes that are no text are cut anywhere */
    assert_int_equal(sc__stored_key((sc_slice){key, sizeof(key)}, 100, room).len,
                     SC__STORED_KEY_LEN);
}

TEST(a_key_that_looks_hashed_is_no_other_keys_place)
{
    char place[SC__STORED_KEY_LEN], room[SC__STORED_KEY_LEN], key[200];
    sc_slice hashed, again;

    memset(key, 'k', sizeof(key));
    hashed = sc__stored_key((sc_slice){key, sizeof(key)}, 100, place);
    again = sc__stored_key(hashed, 1000, room);

    assert_false(sc_slice_eq(hashed, again));
    assert_ptr_equal(sc__stored_key(hashed, SIZE_MAX, room).ptr, hashed.ptr);
}
