#include "tag_book.h"

#include "handle.h"
#include "tags.h"

void sc__tag_book_init(sc__tag_book *book, const sc__tag_keys *keys,
                       const sc__tag_version *versions)
{
    book->count = book->known = keys->count;
    for (size_t i = 0; i < keys->count; i++) {
        book->tags[i] = keys->tags[i];
        book->versions[i] = versions[i];
    }
}

static size_t find(const sc__tag_book *book, sc_slice tag)
{
    size_t i = 0;

    while (i < book->count && !sc_slice_eq(book->tags[i], tag))
        i++;
    return i;
}

void sc__tag_book_note(sc__tag_book *book, sc_slice stored)
{
    sc__envelope envelope;
    sc_slice content;

    if (sc__envelope_read(stored, &envelope, &content) > SC__ENVELOPE_NEGATIVE)
        return;
    for (size_t i = 0; i < envelope.tag_count && book->count < SC__TAG_BOOK_MAX; i++)
        if (find(book, envelope.tags[i]) == book->count)
            book->tags[book->count++] = envelope.tags[i];
}

void sc__tag_book_ask(sc__tag_book *book, sc_cache *cache, sc__budget *budget)
{
    const sc_slice prefix = sc_slice_of(cache->prefix);
    sc__tag_keys keys;

    while (book->known < book->count) {
        sc__tag_keys_init(&keys, prefix);
        for (size_t i = book->known; i < book->count && keys.count < SC__TAGS_MAX; i++)
            if (sc__tag_keys_add(&keys, book->tags[i]))
                break;
        if (sc__cache_tag_versions(cache, keys.keys, keys.count, budget,
                                   book->versions + book->known))
            break;
        book->known += keys.count;
    }
    book->count = book->known;
}

void sc__tag_book_tell(const sc__tag_book *book, sc_slice stored, sc__found *found)
{
    sc__envelope envelope;
    sc_slice content;

    if (sc__envelope_read(stored, &envelope, &content) > SC__ENVELOPE_NEGATIVE)
        return;
    for (size_t i = 0; i < envelope.tag_count; i++) {
        size_t before = found->keys.count, at = find(book, envelope.tags[i]);

        if (at == book->count || found->known != before ||
            sc__tag_keys_add(&found->keys, envelope.tags[i]))
            return;
        if (found->keys.count > before)
            found->versions[found->known++] = book->versions[at];
    }
}
