#include "alloc.h"

#include <stdlib.h>

#include <storychain/base.h>

atomic_long test_allocations, test_fail_at, test_live;

static bool fails(void)
{
    return ++test_allocations == test_fail_at;
}

static void *fail_malloc(size_t size)
{
    void *ptr = fails() ? NULL : malloc(size);

    test_live += ptr != NULL;
    return ptr;
}

static void *fail_realloc(void *old, size_t size)
{
    void *ptr = fails() ? NULL : realloc(old, size);

    test_live += ptr && !old;
    return ptr;
}

static void count_free(void *ptr)
{
    test_live -= ptr != NULL;
    free(ptr);
}

void test_alloc_use(void)
{
    static const sc_allocator allocator = {fail_malloc, fail_realloc, count_free};

    sc_set_allocator(&allocator);
}
