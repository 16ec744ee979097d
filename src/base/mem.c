#include "mem.h"

#include <stdlib.h>

static sc_allocator hooks = {malloc, realloc, free};

void sc_set_allocator(const sc_allocator *allocator)
{
    hooks = *allocator;
}

void *sc__malloc(size_t size)
{
    return hooks.malloc_fn(size ? size : 1);
}

void *sc__calloc(size_t count, size_t size)
{
    void *ptr;

    if (size && count > SIZE_MAX / size)
        return NULL;
    ptr = sc__malloc(count * size);
    if (ptr)
        memset(ptr, 0, count * size);
    return ptr;
}

void *sc__realloc(void *ptr, size_t size)
{
    return hooks.realloc_fn(ptr, size ? size : 1);
}

void sc_free(void *ptr)
{
    if (ptr)
        hooks.free_fn(ptr);
}

/* glibc: a head of 8 bytes, chunks of 16 and at least 32; large ones are pages of their own. */
size_t sc__mem_held(size_t size)
{
    enum { HEAD = 8, CHUNK = 16, LEAST = 32, PAGE = 4096, MAPPED = 32 * 1024 * 1024 };
    size_t held = (size + HEAD + CHUNK - 1) & ~(size_t)(CHUNK - 1);

    if (held >= MAPPED)
        return (held + PAGE - 1) & ~(size_t)(PAGE - 1);
    return held < LEAST ? LEAST : held;
}

char *sc__slice_dup(sc_slice s)
{
    char *copy = s.len < SIZE_MAX ? sc__malloc(s.len + 1) : NULL;

    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *sc__strdup(const char *text)
{
    return sc__slice_dup(sc_slice_of(text));
}
