/* ops/cache_envelope.c */
#include "ops/cache_envelope.h"
#include "base/rand.h"
#include "support/test.h"

/* An envelope and content behind it, with room for the longest. */
struct stored {
    char bytes[SC__ENVELOPE_MAX + 64];
    size_t len;
};

static void store(struct stored *s, const sc__envelope *envelope, const char *content)
{
    size_t size = sc__envelope_size(envelope);

    sc__envelope_write(envelope, s->bytes);
    memcpy(s->bytes + size, content, strlen(content));
    s->len = size + strlen(content);
}

static sc__envelope_kind read_back(const struct stored *s, sc__envelope *ret_envelope,
                                   sc_slice *ret_content)
{
    return sc__envelope_read((sc_slice){s->bytes, s->len}, ret_envelope, ret_content);
}

TEST(an_envelope_keeps_the_value_and_its_date)
{
    const sc__envelope plain = {.stored_ms = 1760000000123};
    struct stored stored;
    sc__envelope got;
    sc_slice content;

    store(&stored, &plain, "abc");

    assert_int_equal(read_back(&stored, &got, &content), SC__ENVELOPE_VALUE);
    assert_slice(content, "abc");
    assert_true(got.stored_ms == 1760000000123);
    assert_int_equal(stored.len, SC__ENVELOPE_LEN + 3);
    assert_int_equal(got.tag_count, 0);
    assert_true(got.expires_ms == 0 && got.birth == 0);
}

TEST(an_envelope_keeps_every_field)
{
    const sc__envelope full = {
        .kind = SC__ENVELOPE_NEGATIVE,
        .flags = SC__ENVELOPE_ZSTD | SC__ENVELOPE_SEALED,
        .stored_ms = 1,
        .expires_ms = INT64_MAX,
        .soft_ms = 255,
        .grace_ms = 256,
        .birth = 1760000000123456,
        .load_us = 1,
        .raw_size = 70000,
        .key_id = 9,
        .schema = 3,
        .nonce = "twelve bytes",
        .tag_count = 2,
        .tags = {SC_S("story:1"), SC_S("u")},
    };
    struct stored stored;
    sc__envelope got;
    sc_slice content;

    store(&stored, &full, "");

    assert_int_equal(read_back(&stored, &got, &content), SC__ENVELOPE_NEGATIVE);
    assert_int_equal(content.len, 0);
    assert_int_equal(got.flags, full.flags);
#define X(member, field) assert_true(got.member == full.member);
    SC__ENVELOPE_NUMBERS(X)
#undef X
    assert_memory_equal(got.nonce, full.nonce, SC__NONCE_LEN);
    assert_int_equal(got.tag_count, 2);
    assert_slice(got.tags[0], "story:1");
    assert_slice(got.tags[1], "u");
}

TEST(the_longest_envelope_is_as_long_as_its_limit)
{
    char name[SC__TAG_LEN_MAX];
    sc__envelope longest = {.flags = SC__ENVELOPE_SEALED, .tag_count = SC__TAGS_MAX};
    struct stored stored;
    sc__envelope got;
    sc_slice content;

    memset(name, 't', sizeof(name));
#define X(member, field) longest.member = INT64_MAX;
    SC__ENVELOPE_NUMBERS(X)
#undef X
    for (size_t i = 0; i < SC__TAGS_MAX; i++)
        longest.tags[i] = (sc_slice){name, sizeof(name)};
    store(&stored, &longest, "x");

    assert_int_equal(stored.len, SC__ENVELOPE_MAX + 1);
    assert_int_equal(read_back(&stored, &got, &content), SC__ENVELOPE_VALUE);
    assert_int_equal(got.tag_count, SC__TAGS_MAX);
    assert_slice(content, "x");
    longest.tag_count = 0;
    assert_int_equal(sc__envelope_size(&longest), SC__ENVELOPE_UNTAGGED_MAX);
}

TEST(the_bytes_of_an_envelope_never_change)
{
    static const char expected[] = "\xffSC\x01V\x00\x1a\x00\x7b\xd8\x3c\xc7\x99\x01\x00\x00"
                                   "\x02\x02\x34\x12"
                                   "\x04\x01\x07"
                                   "\x09\x01t";
    const sc__envelope envelope = {.stored_ms = 0x199c73cd87b,
                                   .soft_ms = 0x1234,
                                   .birth = 7,
                                   .tag_count = 1,
                                   .tags = {SC_S("t")}};
    struct stored stored;

    store(&stored, &envelope, "");

    assert_int_equal(stored.len, sizeof(expected) - 1);
    assert_memory_equal(stored.bytes, expected, sizeof(expected) - 1);
}

/* An envelope of a value with these fields, "ab" behind. */
static sc__envelope_kind with_fields(const char *fields, size_t len, sc__envelope *ret_envelope)
{
    const sc__envelope plain = {.stored_ms = 5};
    struct stored stored;
    sc_slice content;
    sc__envelope_kind kind;

    store(&stored, &plain, "");
    stored.bytes[6] = (char)(SC__ENVELOPE_LEN + len);
    memcpy(stored.bytes + SC__ENVELOPE_LEN, fields, len);
    memcpy(stored.bytes + SC__ENVELOPE_LEN + len, "ab", 2);
    stored.len = SC__ENVELOPE_LEN + len + 2;
    kind = read_back(&stored, ret_envelope, &content);
    if (kind != SC__ENVELOPE_UNREADABLE)
        assert_slice(content, "ab");
    return kind;
}

TEST(fields_of_a_newer_writer_are_skipped)
{
    static const char fields[] = "\xc8\x02??\x01\x01\x09\xc9\x00";
    sc__envelope got;

    assert_int_equal(with_fields(fields, sizeof(fields) - 1, &got), SC__ENVELOPE_VALUE);
    assert_true(got.expires_ms == 9);
}

TEST(fields_that_are_wrong_are_unreadable)
{
    static const struct {
        const char *bytes;
        size_t len;
    } wrong[] = {
        {"\x01", 1},               /* half a field */
        {"\xc8\x05????", 6},       /* longer than what is there */
        {"\x01\x00", 2},           /* a number without bytes */
        {"\x01\x09?????????", 11}, /* … with too many */
        {"\x01\x08\xff\xff\xff\xff\xff\xff\xff\xff", 10} /* … too large */,
        {"\x08\x02xx", 4}, /* a short nonce */
        {"\x09\x00", 2},   /* a tag without a name */
    };
    char tags[3 * (SC__TAGS_MAX + 1)];
    sc__envelope got;

    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_int_equal(with_fields(wrong[i].bytes, wrong[i].len, &got), SC__ENVELOPE_UNREADABLE);
    for (size_t i = 0; i <= SC__TAGS_MAX; i++)
        memcpy(tags + 3 * i, "\x09\x01t", 3);
    assert_int_equal(with_fields(tags, 3 * SC__TAGS_MAX, &got), SC__ENVELOPE_VALUE);
    assert_int_equal(with_fields(tags, sizeof(tags), &got), SC__ENVELOPE_UNREADABLE);
}

TEST(bytes_without_an_envelope_are_a_value_of_unknown_age)
{
    static const char *const plain[] = {"",       "{\"a\":1}",        "0",      "\xff",
                                        "\xffSD", "\xff\xd8\xff\xe0", "SC\x01V"};
    sc__envelope got;
    sc_slice content;

    for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++) {
        assert_int_equal(sc__envelope_read(sc_slice_of(plain[i]), &got, &content),
                         SC__ENVELOPE_VALUE);
        assert_slice(content, plain[i]);
        assert_true(got.stored_ms == -1);
    }
}

TEST(leases_differ_and_are_no_values)
{
    char one[SC__LEASE_LEN], two[SC__LEASE_LEN];
    sc_slice mark = sc__envelope_lease_mark(), content;
    sc__envelope got;

    sc__envelope_lease(one, 1);
    sc__envelope_lease(two, 1);

    assert_int_equal(sc__envelope_read((sc_slice){one, sizeof(one)}, &got, &content),
                     SC__ENVELOPE_LEASE);
    assert_int_equal(content.len, 0);
    assert_memory_equal(one, mark.ptr, mark.len);
    assert_memory_not_equal(one, two, sizeof(one));
    assert_int_equal(sc__envelope_read((sc_slice){one, sizeof(one) - 1}, &got, &content),
                     SC__ENVELOPE_UNREADABLE);
}

TEST(a_lease_may_keep_the_old_value_behind_it)
{
    const sc__envelope old = {.stored_ms = 7};
    struct stored value, lease;
    sc__envelope got;
    sc_slice content;

    store(&value, &old, "old");
    sc__envelope_lease(lease.bytes, 1);
    memcpy(lease.bytes + SC__LEASE_LEN, value.bytes, value.len);
    lease.len = SC__LEASE_LEN + value.len;

    assert_int_equal(read_back(&lease, &got, &content), SC__ENVELOPE_LEASE);
    assert_int_equal(sc__envelope_read(content, &got, &content), SC__ENVELOPE_VALUE);
    assert_slice(content, "old");
    assert_true(got.stored_ms == 7);
}

TEST(what_is_damaged_or_newer_is_unreadable)
{
    static const struct {
        size_t at;
        char byte;
    } wrong[] = {{3, 2}, {4, 'X'}, {5, 4}, {6, 15}, {6, 21}, {7, 1}};
    const sc__envelope plain = {.stored_ms = 1};
    struct stored stored;
    sc__envelope got;
    sc_slice content;

    for (size_t len = 3; len < SC__ENVELOPE_LEN; len++) {
        store(&stored, &plain, "");
        stored.len = len;
        assert_int_equal(read_back(&stored, &got, &content), SC__ENVELOPE_UNREADABLE);
    }
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        store(&stored, &plain, "????");
        stored.bytes[wrong[i].at] = wrong[i].byte;
        assert_int_equal(read_back(&stored, &got, &content), SC__ENVELOPE_UNREADABLE);
        assert_int_equal(content.len, 0);
    }
}

TEST(any_bytes_can_be_read)
{
    for (int round = 0; round < 20000; round++) {
        uint64_t noise[6];
        char bytes[48] = "\xffSC\x01V";
        sc__envelope got;
        sc_slice content;

        for (size_t i = 0; i < 6; i++)
            noise[i] = sc__rand_u64();
        memcpy(bytes + round % 6, noise, 48 - (size_t)(round % 6));
        if (sc__envelope_read((sc_slice){bytes, noise[0] % 49}, &got, &content) ==
            SC__ENVELOPE_VALUE)
            assert_true(content.ptr >= bytes && content.ptr + content.len <= bytes + 48);
    }
}
