/* Tests: TEST(name) { … } is found by itself and runs in a process of its own, with a limit of time.
 *
 * A name is a sentence; the body has three paragraphs: given, when, then. Assertions are cmocka's.
 * Nothing sleeps: wait_until() awaits a condition, sc__clock_shift() moves time. */
#ifndef TEST_SUPPORT_TEST_H
#define TEST_SUPPORT_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <storychain/base.h>

struct test_case {
    const char *name;
    void (*run)(void **state);
    int limit_s;
    struct test_case *next;
};

void test_register(struct test_case *test);

/* A test that may take up to `seconds` (TEST: 30; all are multiplied under sanitizers). */
#define TEST_LIMIT(name, seconds)                                                                  \
    static void test_##name(void **state);                                                         \
    static struct test_case case_##name = {#name, test_##name, (seconds), NULL};                   \
    __attribute__((constructor)) static void register_##name(void)                                 \
    {                                                                                              \
        test_register(&case_##name);                                                               \
    }                                                                                              \
    static void test_##name(void **state __attribute__((unused)))
#define TEST(name) TEST_LIMIT(name, 30)

/* Waits up to 10 s (more under sanitizers) for a condition that other threads or processes make true; fails the test at the deadline. */
#define wait_until(condition)                                                                      \
    do {                                                                                           \
        int64_t deadline_ = test_deadline_ms();                                                    \
        while (!(condition))                                                                       \
            if (!test_pause_until(deadline_))                                                      \
                fail_msg("waited in vain for: %s", #condition);                                    \
    } while (0)

int64_t test_deadline_ms(void);
bool test_pause_until(int64_t deadline_ms); /* a moment's rest; false after the deadline */

/* SC_OK, or the test fails with the error's name and text. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        sc_err err_ = (call);                                                                      \
        if (err_)                                                                                  \
            fail_msg("%s: %s (%s)", #call, sc_err_name(err_), sc_err_text(err_));                  \
    } while (0)
#define assert_err(call, expected)                                                                 \
    do {                                                                                           \
        sc_err err_ = (call);                                                                      \
        if (err_ != (expected))                                                                    \
            fail_msg("%s: got %s, expected %s", #call, sc_err_name(err_), sc_err_name(expected));  \
    } while (0)
#define assert_slice(slice, text)                                                                  \
    do {                                                                                           \
        sc_slice got_ = (slice);                                                                   \
        if (!sc_slice_eq(got_, sc_slice_of(text)))                                                 \
            fail_msg("%s is \"%.*s\", expected \"%s\"", #slice, (int)got_.len,                     \
                     got_.ptr ? got_.ptr : "", (text));                                            \
    } while (0)

/* A folder of this test alone, removed when the test ends. */
const char *test_folder(void);

#endif
