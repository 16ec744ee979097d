/* cache/codec.c */
#include "cache/codec.h"

#include <zstd.h>

#include "base/rand.h"
#include "support/test.h"

static const sc_cache_secret old_secret = {1, "an old secret of 32 bytes ......"};
static const sc_cache_secret new_secret = {2, "a newer secret of 32 bytes ....."};

static sc__codec codec_of(const sc_cache_secret *secrets, size_t count)
{
    const sc_cache_opts opts = {
        .max_value_size = 100000, .secrets = secrets, .secret_count = count};
    sc__codec codec;

    assert_ok(sc__codec_init(&codec, &opts, NULL));
    return codec;
}

/* A value that lies in Redis, a copy of its own. */
struct stored {
    char *bytes;
    size_t len;
};

static struct stored seal_slice(const sc__codec *codec, const char *key, sc_slice value)
{
    sc__envelope envelope = {.stored_ms = 1, .tag_count = 1, .tags = {SC_S("tag")}};
    sc__blob *blob = sc__blob_copy(value);
    struct stored stored;
    sc_slice sealed;

    assert_ok(sc__codec_seal(codec, sc_slice_of(key), &envelope, blob, &sealed));
    stored = (struct stored){malloc(sealed.len), sealed.len};
    memcpy(stored.bytes, sealed.ptr, sealed.len);
    sc__blob_unref(blob);
    return stored;
}

static sc_err open_stored(const sc__codec *codec, const char *key, struct stored stored,
                          sc_slice *ret_value, sc__blob **ret_owner, sc_reason *ret_why)
{
    const sc_slice bytes = {stored.bytes, stored.len};
    sc__envelope envelope;
    sc_slice content;
    sc_err err;

    assert_int_not_equal(sc__envelope_read(bytes, &envelope, &content), SC__ENVELOPE_UNREADABLE);
    *ret_owner = NULL;
    err = sc__codec_open(codec, sc_slice_of(key), bytes, &envelope, content, ret_owner, ret_why);
    if (!err)
        *ret_value = *ret_owner ? (*ret_owner)->bytes : content;
    return err;
}

/* Seals and opens; returns how long it was in Redis. */
static size_t there_and_back(const sc__codec *writer, const sc__codec *reader, sc_slice value)
{
    struct stored stored = seal_slice(writer, "key", value);
    sc__blob *owner;
    sc_slice got;

    assert_ok(open_stored(reader, "key", stored, &got, &owner, NULL));
    assert_int_equal(got.len, value.len);
    if (value.len)
        assert_memory_equal(got.ptr, value.ptr, value.len);
    sc__blob_unref(owner);
    free(stored.bytes);
    return stored.len;
}

static void must_not_open(const sc__codec *codec, const char *key, struct stored stored,
                          const char *why)
{
    sc_reason reason;
    sc__blob *owner;
    sc_slice got;

    assert_err(open_stored(codec, key, stored, &got, &owner, &reason), SC_ELAYOUT);
    if (!strstr(reason.text, why))
        fail_msg("\"%s\" does not say \"%s\"", reason.text, why);
    assert_null(owner);
}

static char text[50000], noise[50000];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = "once upon a time "[i % 17];
    for (size_t i = 0; i + 8 <= sizeof(noise); i += 8) {
        uint64_t r = sc__rand_u64();

        memcpy(noise + i, &r, 8);
    }
}

TEST(values_of_any_size_come_back)
{
    static const size_t sizes[] = {0, 1, 1023, 1024, 1025, 4096, 50000};
    const sc_cache_secret secrets[] = {new_secret, old_secret};
    sc__codec plain = codec_of(NULL, 0), sealing = codec_of(secrets, 2);

    fill();
    for (size_t i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
        there_and_back(&plain, &plain, (sc_slice){text, sizes[i]});
        there_and_back(&plain, &plain, (sc_slice){noise, sizes[i]});
        there_and_back(&sealing, &sealing, (sc_slice){text, sizes[i]});
        there_and_back(&sealing, &sealing, (sc_slice){noise, sizes[i]});
    }
}

TEST(only_large_values_that_get_smaller_are_compressed)
{
    sc__codec codec = codec_of(NULL, 0);
    const size_t envelope = SC__ENVELOPE_LEN + 5;

    fill();
    assert_int_equal(there_and_back(&codec, &codec, (sc_slice){text, 1023}), envelope + 1023);
    assert_true(there_and_back(&codec, &codec, (sc_slice){text, 1024}) < 200);
    assert_int_equal(there_and_back(&codec, &codec, (sc_slice){noise, 5000}), envelope + 5000);
    codec.compress_above = SC_CACHE_NEVER;
    assert_int_equal(there_and_back(&codec, &codec, (sc_slice){text, 5000}), envelope + 5000);
}

TEST(what_unpacks_to_more_than_a_value_may_have_is_refused)
{
    sc__codec codec = codec_of(NULL, 0), small = codec;
    struct stored stored;

    fill();
    small.max_value_size = sizeof(text) - 1;
    stored = seal_slice(&codec, "key", (sc_slice){text, sizeof(text)});
    must_not_open(&small, "key", stored, "larger than a value may be");
    free(stored.bytes);
}

/* Says `said` bytes, packs sizeof(text). */
static void bomb(int64_t said)
{
    sc__codec codec = codec_of(NULL, 0);
    const sc__envelope lie = {.flags = SC__ENVELOPE_ZSTD, .stored_ms = 1, .raw_size = said};
    char bytes[4096];
    size_t head = sc__envelope_size(&lie);
    struct stored stored = {bytes, head};

    fill();
    sc__envelope_write(&lie, bytes);
    stored.len += ZSTD_compress(bytes + head, sizeof(bytes) - head, text, sizeof(text), 3);
    must_not_open(&codec, "key", stored, "damaged");
}

TEST(what_unpacks_to_another_size_than_it_says_is_refused)
{
    bomb(10);
    bomb(sizeof(text) - 1);
    bomb(sizeof(text) + 1);
    bomb(0);
}

TEST(an_encrypted_value_shows_nothing_of_itself)
{
    sc__codec codec = codec_of(&new_secret, 1);
    struct stored one = seal_slice(&codec, "key", SC_S("a secret value")),
                  two = seal_slice(&codec, "key", SC_S("a secret value"));

    assert_null(memmem(one.bytes, one.len, "secret", 6));
    assert_int_equal(one.len, two.len);
    assert_memory_not_equal(one.bytes, two.bytes, one.len);
    free(one.bytes);
    free(two.bytes);
}

TEST(what_is_encrypted_opens_only_unchanged_and_at_its_key)
{
    sc__codec codec = codec_of(&new_secret, 1);
    struct stored stored = seal_slice(&codec, "key", SC_S("v"));
    sc__blob *owner;
    sc_slice got;

    must_not_open(&codec, "kez", stored, "another key");
    for (size_t i = 8; i < stored.len; i++) {
        sc__envelope envelope;
        sc_slice content;

        stored.bytes[i] ^= 1;
        if (sc__envelope_read((sc_slice){stored.bytes, stored.len}, &envelope, &content) ==
            SC__ENVELOPE_VALUE)
            must_not_open(&codec, "key", stored, "");
        stored.bytes[i] ^= 1;
    }
    assert_ok(open_stored(&codec, "key", stored, &got, &owner, NULL));
    sc__blob_unref(owner);
    stored.len -= 2;
    must_not_open(&codec, "key", stored, "cut off");
    free(stored.bytes);
}

/* An envelope that has no value, with a little text. */
static struct stored mark(const sc__codec *codec, sc__envelope_kind kind, sc_slice content)
{
    sc__envelope envelope = {
        .kind = kind, .stored_ms = 1, .birth = 5, .tag_count = 1, .tags = {SC_S("tag")}};
    char *room = malloc(SC__ENVELOPE_MAX + content.len + SC__SEAL_LEN);
    sc_slice marked;

    assert_ok(sc__codec_mark(codec, SC_S("key"), &envelope, content, room, &marked));
    assert_ptr_equal(marked.ptr, room);
    return (struct stored){room, marked.len};
}

TEST(what_has_no_value_is_coded_as_values_are)
{
    sc__codec plain = codec_of(NULL, 0), sealing = codec_of(&new_secret, 1),
              other = codec_of(&old_secret, 1);
    const sc_slice contents[] = {SC_S(""), SC_S("an error")};

    for (size_t i = 0; i < 2; i++) {
        sc__envelope_kind kind = i ? SC__ENVELOPE_ERROR : SC__ENVELOPE_NEGATIVE;
        struct stored open = mark(&plain, kind, contents[i]),
                      sealed = mark(&sealing, kind, contents[i]);
        sc__blob *owner;
        sc_slice got;

        assert_ok(open_stored(&plain, "key", open, &got, &owner, NULL));
        assert_true(sc_slice_eq(got, contents[i]));
        assert_ok(open_stored(&sealing, "key", sealed, &got, &owner, NULL));
        assert_true(sc_slice_eq(got, contents[i]));
        sc__blob_unref(owner);
        must_not_open(&sealing, "kez", sealed, "another key");
        must_not_open(&sealing, "key", open, "not encrypted");
        must_not_open(&other, "key", sealed, "not one of ours");
        for (size_t at = 4; at < sealed.len; at++) {
            sc__envelope envelope;
            sc_slice content;

            sealed.bytes[at] ^= 1;
            if (sc__envelope_read((sc_slice){sealed.bytes, sealed.len}, &envelope, &content) !=
                SC__ENVELOPE_UNREADABLE)
                must_not_open(&sealing, "key", sealed, "");
            sealed.bytes[at] ^= 1;
        }
        free(open.bytes);
        free(sealed.bytes);
    }
}

TEST(secrets_are_changed_without_losing_values)
{
    const sc_cache_secret before[] = {old_secret, new_secret}, after[] = {new_secret, old_secret};
    sc__codec first = codec_of(&old_secret, 1), second = codec_of(before, 2),
              third = codec_of(after, 2), fourth = codec_of(&new_secret, 1);
    struct stored stored = seal_slice(&first, "key", SC_S("v"));

    there_and_back(&first, &second, SC_S("v"));
    there_and_back(&second, &first, SC_S("v"));
    there_and_back(&second, &third, SC_S("v"));
    there_and_back(&third, &second, SC_S("v"));
    there_and_back(&third, &fourth, SC_S("v"));
    must_not_open(&fourth, "key", stored, "secret 1, which is not one of ours");
    free(stored.bytes);
}

TEST(a_cache_with_secrets_takes_nothing_that_is_not_encrypted)
{
    sc__codec plain = codec_of(NULL, 0), sealing = codec_of(&new_secret, 1);
    struct stored stored = seal_slice(&plain, "key", SC_S("v"));
    struct stored foreign = {(char[]){"{}"}, 2};
    struct stored sealed = seal_slice(&sealing, "key", SC_S("v"));

    must_not_open(&sealing, "key", stored, "not encrypted");
    must_not_open(&sealing, "key", foreign, "not encrypted");
    must_not_open(&plain, "key", sealed, "not one of ours");
    free(stored.bytes);
    free(sealed.bytes);
}

TEST(wrong_options_are_refused)
{
    const sc_cache_secret twice[] = {new_secret, new_secret}, unnamed = {0, {0}};
    sc_cache_opts opts = {.max_value_size = 1, .secrets = twice, .secret_count = 2};
    sc__codec codec;
    sc_reason why;

    assert_err(sc__codec_init(&codec, &opts, &why), SC_EINVAL);
    assert_non_null(strstr(why.text, "have the id 2"));
    opts.secrets = &unnamed;
    opts.secret_count = 1;
    assert_err(sc__codec_init(&codec, &opts, &why), SC_EINVAL);
    assert_non_null(strstr(why.text, "below 1"));
    opts.secret_count = SC_CACHE_SECRETS_MAX + 1;
    assert_err(sc__codec_init(&codec, &opts, &why), SC_EINVAL);
    assert_non_null(strstr(why.text, "at most 16"));
}
