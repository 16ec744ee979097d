#include "cache_tags.h"

#include "base/mem.h"

static sc_slice join(char *out, sc_slice prefix, const char *word, sc_slice name)
{
    size_t word_len = strlen(word);

    if (prefix.len)
        memcpy(out, prefix.ptr, prefix.len);
    memcpy(out + prefix.len, word, word_len);
    if (name.len)
        memcpy(out + prefix.len + word_len, name.ptr, name.len);
    return (sc_slice){out, prefix.len + word_len + name.len};
}

void sc__tag_keys_init(sc__tag_keys *keys, sc_slice prefix)
{
    keys->clock = join(keys->clock_text, prefix, "clock", SC_S(""));
    keys->count = 0;
}

void sc__tag_keys_copy(sc__tag_keys *copy, const sc__tag_keys *keys)
{
    sc__tag_keys_init(copy, (sc_slice){keys->clock.ptr, keys->clock.len - strlen("clock")});
    for (size_t i = 0; i < keys->count; i++)
        if (sc__tag_keys_add(copy, keys->tags[i]))
            break; /* they all fitted once */
}

sc__tag_keys *sc__tag_keys_dup(const sc__tag_keys *keys)
{
    sc__tag_keys *copy = sc__malloc(sizeof(*copy));

    if (copy)
        sc__tag_keys_copy(copy, keys);
    return copy;
}

bool sc__tag_keys_have(const sc__tag_keys *keys, sc_slice tag)
{
    for (size_t i = 0; i < keys->count; i++)
        if (sc_slice_eq(keys->tags[i], tag))
            return true;
    return false;
}

sc_err sc__tag_keys_add(sc__tag_keys *keys, sc_slice tag)
{
    const sc_slice prefix = {keys->clock.ptr, keys->clock.len - strlen("clock")};
    sc_slice *key = &keys->keys[keys->count];

    if (!tag.len || tag.len > SC__TAG_LEN_MAX)
        return SC_EINVAL;
    if (sc__tag_keys_have(keys, tag))
        return SC_OK;
    if (keys->count == SC__TAGS_MAX)
        return SC_ETOOBIG;
    *key = join(keys->text[keys->count], prefix, SC__TAG_WORD, tag);
    keys->tags[keys->count++] = (sc_slice){key->ptr + key->len - tag.len, tag.len};
    return SC_OK;
}

sc__tag_version sc__tag_version_read(sc_slice content)
{
    const char *space = content.len ? memchr(content.ptr, ' ', content.len) : NULL;
    sc__tag_version version = {0, 0};
    sc_slice first, second;

    if (!space)
        return version;
    first = (sc_slice){content.ptr, (size_t)(space - content.ptr)};
    second = (sc_slice){space + 1, content.len - first.len - 1};
    if (!sc__int_parse(first, &version.deleted) || !sc__int_parse(second, &version.expired) ||
        version.deleted <= 0)
        return (sc__tag_version){0, 0};
    return version;
}

void sc__renewal_key(sc__str *out, sc_slice prefix, sc_slice key)
{
    sc__str_append(out, prefix);
    sc__str_text(out, "renew:");
    sc__str_append(out, key);
}
