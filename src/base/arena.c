#include "arena.h"

#include "mem.h"

#include <stdalign.h>
#include <stdio.h>

enum { FIRST_BLOCK = 1024, LARGEST_STEP = 64 * 1024 };

struct sc__arena_block {
    struct sc__arena_block *next;
    size_t size;
    alignas(max_align_t) char bytes[];
};

void sc__arena_init(sc__arena *a, size_t max)
{
    *a = (sc__arena){.max = max};
}

static void free_blocks(struct sc__arena_block *b)
{
    while (b) {
        struct sc__arena_block *next = b->next;

        sc_free(b);
        b = next;
    }
}

void sc__arena_release(sc__arena *a)
{
    free_blocks(a->blocks);
    sc__arena_init(a, a->max);
}

void sc__arena_reset(sc__arena *a)
{
    if (!a->blocks)
        return;
    free_blocks(a->blocks->next);
    a->blocks->next = NULL;
    a->at = a->blocks->bytes;
    a->end = a->at + a->blocks->size;
    a->used = 0;
}

static bool grow(sc__arena *a, size_t size)
{
    size_t step = a->blocks ? a->blocks->size * 2 : FIRST_BLOCK;
    struct sc__arena_block *b;

    if (step > LARGEST_STEP)
        step = LARGEST_STEP;
    if (step < size)
        step = size;
    b = sc__malloc(sizeof(*b) + step);
    if (!b)
        return false;
    b->next = a->blocks;
    b->size = step;
    a->blocks = b;
    a->at = b->bytes;
    a->end = b->bytes + step;
    return true;
}

void *sc__arena_alloc(sc__arena *a, size_t size)
{
    void *ptr;

    if (size > a->max - a->used || size > SIZE_MAX / 2)
        return NULL;
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    if (size > (size_t)(a->end - a->at) && !grow(a, size))
        return NULL;
    ptr = a->at;
    a->at += size;
    a->used = a->used + size > a->max ? a->max : a->used + size;
    return ptr;
}

void *sc__arena_zalloc(sc__arena *a, size_t size)
{
    void *ptr = sc__arena_alloc(a, size);

    if (ptr)
        memset(ptr, 0, size);
    return ptr;
}

char *sc__arena_dup(sc__arena *a, sc_slice s)
{
    char *copy = s.len < SIZE_MAX ? sc__arena_alloc(a, s.len + 1) : NULL;

    if (!copy)
        return NULL;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return copy;
}

char *sc__arena_printf(sc__arena *a, const char *fmt, ...)
{
    va_list args;
    char *out;
    int n;

    va_start(args, fmt);
    n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        return NULL;
    out = sc__arena_alloc(a, (size_t)n + 1);
    if (!out)
        return NULL;
    va_start(args, fmt);
    vsnprintf(out, (size_t)n + 1, fmt, args);
    va_end(args);
    return out;
}
