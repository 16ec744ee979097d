/* Versions of the tags of many values, each asked for once. */
#ifndef SC_CACHE_TAG_BOOK_H
#define SC_CACHE_TAG_BOOK_H

#include "look.h"

enum { SC__TAG_BOOK_MAX = 256 /* those beyond are asked for value by value */ };

typedef struct sc__tag_book {
    size_t count, known;             /* the first ones have their versions */
    sc_slice tags[SC__TAG_BOOK_MAX]; /* borrowed */
    sc__tag_version versions[SC__TAG_BOOK_MAX];
} sc__tag_book;

/* With some whose versions are known. They live as long as the book. */
void sc__tag_book_init(sc__tag_book *book, const sc__tag_keys *keys,
                       const sc__tag_version *versions);

/* Notes the tags of what lies in `stored`, if it is a value in an envelope. */
void sc__tag_book_note(sc__tag_book *book, sc_slice stored);

/* Asks for the versions of all that was noted, within the budget. When that fails nothing is known of them. */
void sc__tag_book_ask(sc__tag_book *book, sc_cache *cache, sc__budget *budget);

/* Adds the tags of what lies in `stored` to what was found, with their versions. */
void sc__tag_book_tell(const sc__tag_book *book, sc_slice stored, sc__found *found);

#endif
