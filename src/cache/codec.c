#include "codec.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <zstd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rand.h"

enum { COMPRESS_ABOVE = 1024, LEVEL = 3, LEN_MAX = 1024 * 1024 * 1024 };

sc_err sc__codec_init(sc__codec *codec, const sc_cache_opts *opts, sc_reason *ret_reason)
{
    *codec = (sc__codec){.compress_above = COMPRESS_ABOVE, .max_value_size = opts->max_value_size};
    if (opts->compress_above)
        codec->compress_above = opts->compress_above;
    if (opts->secret_count > SC_CACHE_SECRETS_MAX)
        return sc__because(ret_reason, SC_EINVAL, "a cache has at most %d secrets",
                           SC_CACHE_SECRETS_MAX);
    if (opts->secret_count && !opts->secrets)
        return sc__because(ret_reason, SC_EINVAL, "a cache's secrets are counted, but not given");
    for (size_t i = 0; i < opts->secret_count; i++) {
        if (opts->secrets[i].id < 1)
            return sc__because(ret_reason, SC_EINVAL, "the id of a cache's secret is below 1");
        for (size_t k = 0; k < i; k++)
            if (opts->secrets[k].id == opts->secrets[i].id)
                return sc__because(ret_reason, SC_EINVAL, "two secrets of a cache have the id %lld",
                                   (long long)opts->secrets[i].id);
        codec->secrets[i] = opts->secrets[i];
    }
    codec->secret_count = opts->secret_count;
    return SC_OK;
}

void sc__codec_release(sc__codec *codec)
{
    OPENSSL_cleanse(codec, sizeof(*codec));
}

/* What encrypted bytes are bound to. */
struct bond {
    const sc_cache_secret *secret;
    sc_slice key, head; /* head: the envelope as it lies in Redis */
    const char *nonce;
};

/* NULL when OpenSSL can't. Free it with EVP_CIPHER_CTX_free. */
static EVP_CIPHER_CTX *begin_cipher(const struct bond *bond, bool encrypts)
{
    const uint64_t key_len = bond->key.len; /* no byte of the key can become one of the envelope */
    const sc_slice parts[] = {{(const char *)&key_len, sizeof(key_len)}, bond->key, bond->head};
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n;
    bool ok = ctx && EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, bond->secret->bytes,
                                       (const unsigned char *)bond->nonce, encrypts);

    for (size_t i = 0; ok && i < 3; i++)
        ok =
            EVP_CipherUpdate(ctx, NULL, &n, (const unsigned char *)parts[i].ptr, (int)parts[i].len);
    if (ok)
        return ctx;
    EVP_CIPHER_CTX_free(ctx);
    return NULL;
}

static bool run_cipher(EVP_CIPHER_CTX *ctx, sc_slice in, char *out)
{
    int n;

    return in.len <= LEN_MAX &&
           (!in.len || EVP_CipherUpdate(ctx, (unsigned char *)out, &n,
                                        (const unsigned char *)in.ptr, (int)in.len));
}

/* In place; the seal goes behind. */
static bool encrypt(const struct bond *bond, char *bytes, size_t len)
{
    EVP_CIPHER_CTX *ctx = begin_cipher(bond, true);
    unsigned char *end = (unsigned char *)bytes + len;
    int n;
    bool ok = ctx && run_cipher(ctx, (sc_slice){bytes, len}, bytes) &&
              EVP_CipherFinal_ex(ctx, end, &n) &&
              EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, SC__SEAL_LEN, end);

    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* `in` is followed by its seal. */
static bool decrypt(const struct bond *bond, sc_slice in, char *out)
{
    EVP_CIPHER_CTX *ctx = begin_cipher(bond, false);
    char seal[SC__SEAL_LEN];
    int n;
    bool ok;

    memcpy(seal, in.ptr + in.len, SC__SEAL_LEN);
    ok = ctx && run_cipher(ctx, in, out) &&
         EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, SC__SEAL_LEN, seal) &&
         EVP_CipherFinal_ex(ctx, (unsigned char *)out + in.len, &n);
    EVP_CIPHER_CTX_free(ctx);
    return ok;
}

/* sealing */

/* Into `out`, with room for raw.len bytes. Its length there. */
static size_t pack(sc__envelope *envelope, sc_slice raw, char *out)
{
    size_t len = ZSTD_compress(out, raw.len - raw.len / 10, raw.ptr, raw.len, LEVEL);

    if (!ZSTD_isError(len))
        return len;
    envelope->flags &= ~(unsigned)SC__ENVELOPE_ZSTD;
    envelope->raw_size = 0;
    memcpy(out, raw.ptr, raw.len);
    return raw.len;
}

static void choose_nonce(sc__envelope *envelope)
{
    const uint64_t noise[] = {sc__rand_u64(), sc__rand_u64()};

    memcpy(envelope->nonce, noise, SC__NONCE_LEN);
}

/* How the value is to be coded. False: not at all. */
static bool plan(const sc__codec *codec, sc__envelope *envelope, size_t len)
{
    envelope->flags = 0;
    envelope->raw_size = envelope->key_id = 0;
    if (codec->compress_above != SC_CACHE_NEVER && len >= codec->compress_above) {
        envelope->flags |= SC__ENVELOPE_ZSTD;
        envelope->raw_size = (int64_t)len;
    }
    if (codec->secret_count) {
        envelope->flags |= SC__ENVELOPE_SEALED;
        envelope->key_id = codec->secrets[0].id;
        choose_nonce(envelope);
    }
    return envelope->flags != 0;
}

/* The content, before it is encrypted. Its length at `out`. */
static size_t write_content(sc__envelope *envelope, sc_slice raw, char *out)
{
    if (envelope->flags & SC__ENVELOPE_ZSTD)
        return pack(envelope, raw, out);
    if (raw.len)
        memcpy(out, raw.ptr, raw.len);
    return raw.len;
}

/* Envelope and content, so that the content begins at `content`; the envelope may be shorter than it seemed. */
static sc_err write_sealed(const sc__codec *codec, sc_slice key, sc__envelope *envelope,
                           sc_slice raw, char *content, sc_slice *ret_stored)
{
    struct bond bond = {.secret = &codec->secrets[0], .key = key, .nonce = envelope->nonce};
    size_t len = write_content(envelope, raw, content);

    bond.head.len = sc__envelope_size(envelope);
    bond.head.ptr = content - bond.head.len;
    sc__envelope_write(envelope, content - bond.head.len);
    if (envelope->flags & SC__ENVELOPE_SEALED) {
        if (!encrypt(&bond, content, len))
            return SC_EINTERNAL;
        len += SC__SEAL_LEN;
    }
    *ret_stored = (sc_slice){bond.head.ptr, bond.head.len + len};
    return SC_OK;
}

sc_err sc__codec_seal(const sc__codec *codec, sc_slice key, sc__envelope *envelope, sc__blob *value,
                      sc_slice *ret_stored)
{
    size_t room;

    if (!plan(codec, envelope, value->bytes.len))
        return sc__blob_seal(value, envelope, ret_stored);
    room = sc__envelope_size(envelope);
    sc_free(value->sealed);
    value->sealed = sc__malloc(room + value->bytes.len + SC__SEAL_LEN);
    if (!value->sealed)
        return SC_ENOMEM;
    return write_sealed(codec, key, envelope, value->bytes, value->sealed + room, ret_stored);
}

sc_err sc__codec_mark(const sc__codec *codec, sc_slice key, sc__envelope *envelope,
                      sc_slice content, char *room, sc_slice *ret_stored)
{
    plan(codec, envelope, 0);
    return write_sealed(codec, key, envelope, content, room + sc__envelope_size(envelope),
                        ret_stored);
}

/* opening */

static const sc_cache_secret *find_secret(const sc__codec *codec, int64_t id)
{
    for (size_t i = 0; i < codec->secret_count; i++)
        if (codec->secrets[i].id == id)
            return &codec->secrets[i];
    return NULL;
}

static sc_err unseal(const sc__codec *codec, sc_slice key, sc_slice head,
                     const sc__envelope *envelope, sc_slice content, sc__blob **ret_value,
                     sc_reason *ret_reason)
{
    const struct bond bond = {find_secret(codec, envelope->key_id), key, head, envelope->nonce};
    sc__blob *value;

    if (!bond.secret)
        return sc__because(ret_reason, SC_ELAYOUT,
                           "it is encrypted with secret %lld, which is not one of ours",
                           (long long)envelope->key_id);
    if (content.len < SC__SEAL_LEN)
        return sc__because(ret_reason, SC_ELAYOUT, "it is encrypted and cut off");
    content.len -= SC__SEAL_LEN;
    value = sc__blob_new(content.len);
    if (!value)
        return sc__because(ret_reason, SC_ENOMEM, "no memory to decrypt it");
    if (!decrypt(&bond, content, sc__blob_room(value))) {
        sc__blob_unref(value);
        return sc__because(ret_reason, SC_ELAYOUT,
                           "it was changed, or belongs to another key or another secret");
    }
    *ret_value = value;
    return SC_OK;
}

static sc_err unpack(const sc__codec *codec, const sc__envelope *envelope, sc_slice content,
                     sc__blob **ret_value, sc_reason *ret_reason)
{
    size_t size = (size_t)envelope->raw_size;
    sc__blob *value;

    if (envelope->raw_size > LEN_MAX || size > codec->max_value_size)
        return sc__because(ret_reason, SC_ELAYOUT, "unpacked it is larger than a value may be");
    value = sc__blob_new(size);
    if (!value)
        return sc__because(ret_reason, SC_ENOMEM, "no memory to unpack it");
    if (ZSTD_decompress(sc__blob_room(value), size, content.ptr, content.len) != size) {
        sc__blob_unref(value);
        return sc__because(ret_reason, SC_ELAYOUT, "its compressed bytes are damaged");
    }
    *ret_value = value;
    return SC_OK;
}

sc_err sc__codec_open(const sc__codec *codec, sc_slice key, sc_slice stored,
                      const sc__envelope *envelope, sc_slice content, sc__blob **ret_value,
                      sc_reason *ret_reason)
{
    const sc_slice head = {stored.ptr, stored.len - content.len};
    sc__blob *opened = NULL, *unpacked = NULL;
    sc_err err;

    if (envelope->flags & SC__ENVELOPE_SEALED)
        err = unseal(codec, key, head, envelope, content, &opened, ret_reason);
    else if (codec->secret_count)
        err = sc__because(ret_reason, SC_ELAYOUT, "it is not encrypted");
    else
        err = SC_OK;
    if (!err && envelope->flags & SC__ENVELOPE_ZSTD) {
        err = unpack(codec, envelope, opened ? opened->bytes : content, &unpacked, ret_reason);
        sc__blob_unref(opened);
        opened = unpacked;
    }
    if (!err)
        *ret_value = opened;
    return err;
}
