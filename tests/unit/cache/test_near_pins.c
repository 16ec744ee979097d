/* cache/near_pins.c. What is freed too early or never, the sanitizers tell. */
#include "cache/near.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "support/test.h"

enum { NOW = 1000, MANY = 50, THREADS = 4, ROUNDS = 5000 };

static sc_err put(sc__near *near, const char *value)
{
    const sc__near_item item = {.key = SC_S("k"),
                                .value = sc_slice_of(value),
                                .expires_ms = INT64_MAX,
                                .soft_ms = INT64_MAX};

    return sc__near_put(near, &item);
}

static sc__near *near_with(const char *value)
{
    const sc__near_opts opts = {.max_bytes = 1 << 20, .now_ms = NOW};
    sc__near *near;

    assert_ok(sc__near_new(&opts, &near));
    assert_ok(put(near, value));
    return near;
}

/* NULL: nothing is held. */
static void *pin(sc__near *near, const sc__near_entry **ret_entry)
{
    sc__near_section section = sc__near_enter(near);
    const bool found = sc__near_find(near, SC_S("k"), NOW, ret_entry) == SC__NEAR_FRESH;
    void *got = found ? sc__near_pin(near, &section, *ret_entry) : NULL;

    sc__near_leave(&section, found);
    return got;
}

TEST(more_pins_than_there_are_places_keep_a_value_all_the_same)
{
    sc__near *near = near_with("v");
    const sc__near_entry *entry;
    void *pins[MANY];

    for (int i = 0; i < MANY; i++)
        pins[i] = pin(near, &entry);
    for (int i = 0; i < MANY; i++)
        assert_true((uintptr_t)pins[i] & 1);
    assert_true(sc__near_del(near, SC_S("k")));
    assert_null(pin(near, &entry));
    for (int i = 0; i < MANY; i++) {
        assert_slice(sc__near_value(entry), "v");
        sc__near_unpin(pins[i]);
    }
    sc__near_free(near);
}

TEST(a_place_is_used_again)
{
    sc__near *near = near_with("v");
    const sc__near_entry *entry;
    void *first;

    first = pin(near, &entry);
    sc__near_unpin(first);
    for (int i = 0; i < MANY; i++) {
        void *next = pin(near, &entry);

        assert_false((uintptr_t)next & 2); /* none is counted in the value */
        sc__near_unpin(next);
    }
    sc__near_free(near);
}

TEST(values_given_up_before_and_by_the_end_outlive_the_cache)
{
    sc__near *near = near_with("old");
    const sc__near_entry *old, *new;
    void *old_pins[2], *new_pins[2];

    old_pins[0] = pin(near, &old);
    old_pins[1] = pin(near, &old);
    assert_ok(put(near, "new"));
    new_pins[0] = pin(near, &new);
    new_pins[1] = pin(near, &new);
    sc__near_unpin(old_pins[0]);
    sc__near_free(near);
    assert_slice(sc__near_value(old), "old");
    sc__near_unpin(new_pins[0]);
    sc__near_unpin(old_pins[1]);
    assert_slice(sc__near_value(new), "new");
    sc__near_unpin(new_pins[1]);
}

/* Threads that pin what another one replaces, and drop it on whichever thread comes next. */
static struct stage {
    sc__near *near;
    atomic_bool over;
    _Atomic(void *) handed;
} stage;

static void *pin_and_hand_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&stage.over)) {
        const sc__near_entry *entry;
        void *mine = pin(stage.near, &entry), *others;

        sched_yield(); /* it may be replaced now */
        if (mine)
            assert_int_equal(sc__near_value(entry).ptr[0], 'v');
        others = atomic_exchange(&stage.handed, mine);
        if (others)
            sc__near_unpin(others);
    }
    return NULL;
}

TEST(pins_of_many_threads_keep_what_is_replaced_meanwhile)
{
    pthread_t threads[THREADS];
    void *last;

    stage.near = near_with("v");
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, pin_and_hand_on, NULL), 0);
    for (int i = 0; i < ROUNDS; i++) {
        sc_err err = put(stage.near, "v");

        assert_true(!err || err == SC_EBUSY);
    }
    atomic_store(&stage.over, true);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    sc__near_free(stage.near);
    last = atomic_load(&stage.handed);
    if (last)
        sc__near_unpin(last);
}
