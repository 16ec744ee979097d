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
