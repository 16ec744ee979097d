/* An allocator whose n-th call fails, and which counts what is not freed. For the whole library: call it first. */
#ifndef TEST_SUPPORT_ALLOC_H
#define TEST_SUPPORT_ALLOC_H

#include <stdatomic.h>

extern atomic_long test_allocations; /* calls so far */
extern atomic_long test_fail_at;     /* the call that fails; 0: none */
extern atomic_long test_live;        /* pieces of memory in use */

void test_alloc_use(void);

#endif
