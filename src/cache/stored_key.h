/* The key that a value has in Redis: the caller's own, or of a long one its readable beginning and a hash of it all. */
#ifndef SC_CACHE_STORED_KEY_H
#define SC_CACHE_STORED_KEY_H

#include <storychain/base.h>

enum { SC__STORED_KEY_HEAD = 128, SC__STORED_KEY_LEN = SC__STORED_KEY_HEAD + 1 + 64 };

/* `key` itself if it has at most `limit` bytes; else up to 128 bytes of it (no UTF-8 character is cut), '#' and 64 hex digits, which are
 * written to `room`. A short key that looks like such a one is hashed, too: no two keys are stored as one. SIZE_MAX: no limit. */
sc_slice sc__stored_key(sc_slice key, size_t limit, char room[SC__STORED_KEY_LEN]);

#endif
