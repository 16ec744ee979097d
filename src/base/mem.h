/* Memory: the only callers of malloc in the library. All of them may return NULL. */
#ifndef SC_BASE_MEM_H
#define SC_BASE_MEM_H

#include <storychain/base.h>

SC_MUST_USE void *sc__malloc(size_t size);
SC_MUST_USE void *sc__calloc(size_t count,
                             size_t size); /* zeroed; NULL when count * size overflows */
SC_MUST_USE void *sc__realloc(void *ptr, size_t size);
SC_MUST_USE char *sc__strdup(const char *text);

/* A NUL-terminated copy, for C interfaces; the slice may hold NULs, the copy then too. */
SC_MUST_USE char *sc__slice_dup(sc_slice s);

/* What a piece of `size` bytes takes of the C library's heap, its own head and rounding too. */
size_t sc__mem_held(size_t size);

#endif
