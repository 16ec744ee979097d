/* ops/cache_envelope.c */
#include "ops/cache_envelope.h"
#include "base/rand.h"
#include "support/test.h"

TEST(an_envelope_keeps_the_value_and_its_date)
{
    char stored[SC__ENVELOPE_LEN + 3];
    int64_t stored_ms;
    sc_slice value;

    sc__envelope_write(stored, 1760000000123);
    memcpy(stored + SC__ENVELOPE_LEN, "abc", 3);

    assert_int_equal(sc__envelope_read((sc_slice){stored, sizeof(stored)}, &value, &stored_ms),
                     SC__ENVELOPE_VALUE);
    assert_slice(value, "abc");
    assert_true(stored_ms == 1760000000123);
}

TEST(the_bytes_of_an_envelope_never_change)
{
    static const char expected[] = "\xffSC\x01V\x00\x10\x00\x7b\xd8\x3c\xc7\x99\x01\x00\x00";
    char stored[SC__ENVELOPE_LEN];

    sc__envelope_write(stored, 0x199c73cd87b);

    assert_memory_equal(stored, expected, SC__ENVELOPE_LEN);
}

TEST(a_longer_envelope_of_a_newer_writer_is_skipped)
{
    char stored[SC__ENVELOPE_LEN + 6];
    int64_t stored_ms;
    sc_slice value;

    sc__envelope_write(stored, 5);
    stored[6] = SC__ENVELOPE_LEN + 4;
    memcpy(stored + SC__ENVELOPE_LEN, "????ab", 6);

    assert_int_equal(sc__envelope_read((sc_slice){stored, sizeof(stored)}, &value, &stored_ms),
                     SC__ENVELOPE_VALUE);
    assert_slice(value, "ab");
}

TEST(bytes_without_an_envelope_are_a_value_of_unknown_age)
{
    static const char *const plain[] = {"",       "{\"a\":1}",        "0",      "\xff",
                                        "\xffSD", "\xff\xd8\xff\xe0", "SC\x01V"};
    int64_t stored_ms;
    sc_slice value;

    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        assert_int_equal(sc__envelope_read(sc_slice_of(plain[i]), &value, &stored_ms),
                         SC__ENVELOPE_VALUE);
        assert_slice(value, plain[i]);
        assert_true(stored_ms == -1);
    }
}

TEST(leases_differ_and_are_no_values)
{
    char one[SC__LEASE_LEN], two[SC__LEASE_LEN];
    sc_slice mark = sc__envelope_lease_mark(), value;
    int64_t stored_ms;

    sc__envelope_lease(one, 1);
    sc__envelope_lease(two, 1);

    assert_int_equal(sc__envelope_read((sc_slice){one, sizeof(one)}, &value, &stored_ms),
                     SC__ENVELOPE_LEASE);
    assert_memory_equal(one, mark.ptr, mark.len);
    assert_memory_not_equal(one, two, sizeof(one));
    assert_int_equal(sc__envelope_read((sc_slice){one, sizeof(one) - 1}, &value, &stored_ms),
                     SC__ENVELOPE_UNREADABLE);
}

TEST(what_is_damaged_or_newer_is_unreadable)
{
    char stored[SC__ENVELOPE_LEN + 4];
    int64_t stored_ms;
    sc_slice value;

    for (size_t len = 3; len < SC__ENVELOPE_LEN; len++) {
        sc__envelope_write(stored, 1);
        assert_int_equal(sc__envelope_read((sc_slice){stored, len}, &value, &stored_ms),
                         SC__ENVELOPE_UNREADABLE);
    }
    static const struct {
        size_t at;
        char byte;
    } wrong[] = {{3, 2}, {4, 'X'}, {5, 1}, {6, 15}, {6, 21}, {7, 1}};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        sc__envelope_write(stored, 1);
        stored[wrong[i].at] = wrong[i].byte;
        assert_int_equal(sc__envelope_read((sc_slice){stored, sizeof(stored)}, &value, &stored_ms),
                         SC__ENVELOPE_UNREADABLE);
    }
}

TEST(any_bytes_can_be_read)
{
    for (int round = 0; round < 20000; round++) {
        uint64_t noise[6];
        char bytes[48] = "\xffSC\x01V";
        int64_t stored_ms;
        sc_slice value = {NULL, 0};

        for (size_t i = 0; i < 6; i++)
            noise[i] = sc__rand_u64();
        memcpy(bytes + round % 6, noise, 48 - (size_t)(round % 6));
        if (sc__envelope_read((sc_slice){bytes, noise[0] % 49}, &value, &stored_ms) ==
            SC__ENVELOPE_VALUE)
            assert_true(value.ptr >= bytes && value.ptr + value.len <= bytes + 48);
    }
}
