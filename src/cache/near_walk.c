#include "near_walk.h"

#include "near_inside.h"

enum { SLICE = 512 /* buckets; a bucket has about one key */ };

bool sc__near_walk(sc__near *near, size_t *at, void (*visit)(void *user, sc_slice key), void *user)
{
    const size_t left = near->bucket_count - *at;
    const size_t end = *at + (left < SLICE ? left : SLICE);
    sc__near_section section = sc__near_enter(near);

    for (; *at < end; ++*at) {
        const sc__near_entry *entry = atomic_load(&near->buckets[*at]);

        /* One that is unlinked meanwhile still leads to those behind it. */
        for (; entry; entry = atomic_load(&entry->next))
            visit(user, sc__near_key(entry));
    }
    sc__near_readers_quit(&section);
    return *at < near->bucket_count;
}
