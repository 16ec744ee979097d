/* How values are coded on their way to Redis: compressed, encrypted, both, or as they are.
 *
 *     value -> zstd, if that saves a tenth -> AES-256-GCM, if there are secrets -> behind the envelope
 *
 * What is encrypted is bound to its key and its envelope: moved to another key, or with another date or tag, it does not
 * open. A cache with secrets gives nothing that is not encrypted; "there is no such thing" and errors are so, too. */
#ifndef SC_CACHE_CODEC_H
#define SC_CACHE_CODEC_H

#include "value.h"

enum { SC__SEAL_LEN = 16 /* behind what is encrypted */ };

typedef struct sc__codec {
    size_t compress_above; /* SC_CACHE_NEVER: nothing is compressed */
    size_t max_value_size; /* nothing larger is made of what Redis holds */
    size_t secret_count;   /* 0: nothing is encrypted */
    sc_cache_secret secrets[SC_CACHE_SECRETS_MAX];
} sc__codec;

/* Takes what it needs from `opts`; max_value_size is not 0. SC_EINVAL with a reason. */
SC_MUST_USE sc_err sc__codec_init(sc__codec *codec, const sc_cache_opts *opts,
                                  sc_reason *ret_reason);
void sc__codec_release(sc__codec *codec); /* wipes the secrets */

/* The value in its envelope as Redis shall hold it at `key`; of copies only, by one thread. Says in `envelope` how it is
 * coded. Lives as long as the value, or until it is sealed again. SC_ENOMEM; SC_EINTERNAL. */
SC_MUST_USE sc_err sc__codec_seal(const sc__codec *codec, sc_slice key, sc__envelope *envelope,
                                  sc__blob *value, sc_slice *ret_stored);

/* The same for an envelope without a value: a negative (no content), an error (its text). `room` has place for the envelope, the content
 * and SC__SEAL_LEN bytes; what is to be stored lies in it. SC_EINTERNAL. */
SC_MUST_USE sc_err sc__codec_mark(const sc__codec *codec, sc_slice key, sc__envelope *envelope,
                                  sc_slice content, char *room, sc_slice *ret_stored);

/* The value that `content` of `envelope` is, as sc__envelope_read() gave both of `stored`. `*ret_value` is NULL when `content`
 * is that value as it lies. SC_ELAYOUT: it doesn't open, with a reason; SC_ENOMEM. */
SC_MUST_USE sc_err sc__codec_open(const sc__codec *codec, sc_slice key, sc_slice stored,
                                  const sc__envelope *envelope, sc_slice content,
                                  sc__blob **ret_value, sc_reason *ret_reason);

#endif
