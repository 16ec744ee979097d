/* Memory that is freed all at once: one arena per job run, per HTTP request, per script call.
 *
 * Blocks are chained, each as large as the one before and as large again, up to 64 KiB; a larger piece
 * has a block of its own. Not thread-safe. */
#ifndef SC_BASE_ARENA_H
#define SC_BASE_ARENA_H

#include <storychain/base.h>

struct sc__arena_block;

typedef struct sc__arena {
    struct sc__arena_block *blocks; /* newest first */
    char *at, *end;                 /* free part of the newest block */
    size_t used, max;               /* bytes given out, and their ceiling */
} sc__arena;

void sc__arena_init(sc__arena *a, size_t max);
void sc__arena_release(sc__arena *a);
void sc__arena_reset(sc__arena *a); /* all memory given out becomes invalid; one block is kept */

/* Aligned for any type; not zeroed. NULL over the ceiling or out of memory. */
SC_MUST_USE void *sc__arena_alloc(sc__arena *a, size_t size);
SC_MUST_USE void *sc__arena_zalloc(sc__arena *a, size_t size);

/* A NUL-terminated copy. */
SC_MUST_USE char *sc__arena_dup(sc__arena *a, sc_slice s);
SC_MUST_USE char *sc__arena_printf(sc__arena *a, const char *fmt, ...) SC_PRINTF(2, 3);

#endif
