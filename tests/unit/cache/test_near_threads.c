/* cache/near.c under many threads: what is found is whole and belongs to its key */
#include <pthread.h>

#include "base/mem.h"
#include "cache/near.h"
#include "support/test.h"

enum { KEYS = 400, READERS = 3, ROUNDS = 30000, NOW = 1000 };

struct stage {
    sc__near *near;
    atomic_int writing;
    atomic_long found;
    _Atomic uint64_t
        deleted[KEYS]; /* per key: no value of an older version may be found by who comes later */
};

static sc_slice key_of(unsigned number, char out[32])
{
    return (sc_slice){out, (size_t)snprintf(out, 32, "key:%u", number % KEYS)};
}

/* "<key>=<version>;" again and again. */
static sc_slice value_of(sc_slice key, uint64_t version, char out[2048], size_t times)
{
    size_t len = 0;

    for (size_t i = 0; i < times && len < 1900; i++)
        len += (size_t)snprintf(out + len, 2048 - len, "%.*s=%llu;", (int)key.len, key.ptr,
                                (unsigned long long)version);
    return (sc_slice){out, len};
}

static void check_value(sc_slice key, const sc__near_entry *entry, uint64_t least)
{
    sc_slice value = sc__near_value(entry);
    char expected[2048];

    assert_true(sc_slice_eq(sc__near_key(entry), key));
    assert_true(entry->birth >= least);
    value_of(key, entry->birth, expected, entry->flags);
    assert_true(sc_slice_eq(value, sc_slice_of(expected)));
}

static void read_one(struct stage *stage, unsigned number)
{
    char text[32];
    sc_slice key = key_of(number, text);
    uint64_t least = atomic_load(&stage->deleted[number % KEYS]);
    sc__near_section section = sc__near_enter(stage->near);
    const sc__near_entry *entry = NULL;
    void *pin = NULL;
    sc__near_state state = sc__near_find(stage->near, key, NOW, &entry);

    if (state != SC__NEAR_MISS) {
        check_value(key, entry, least);
        if (number % 16 == 0)
            pin = sc__near_pin(stage->near, &section, entry);
        atomic_fetch_add(&stage->found, 1);
    }
    sc__near_leave(&section, state != SC__NEAR_MISS);
    if (pin) {
        check_value(key, entry, least);
        sc__near_unpin(pin);
    }
}

static void *read_all(void *arg)
{
    struct stage *stage = arg;
    unsigned number = (unsigned)(uintptr_t)&arg;

    while (atomic_load(&stage->writing)) {
        number = number * 1664525u + 1013904223u;
        read_one(stage, number >> 8);
    }
    return NULL;
}

static void write_one(struct stage *stage, unsigned number, uint64_t version)
{
    char text[32], bytes[2048];
    const sc_slice tags[] = {SC_S("even"), SC_S("all")};
    sc__near_item item = {.key = key_of(number, text),
                          .expires_ms = number % 5 ? INT64_MAX : NOW + 1,
                          .soft_ms = INT64_MAX,
                          .birth = version,
                          .flags = (uint8_t)(1 + number % 120),
                          .tags = tags + number % 2,
                          .tag_count = 2 - number % 2};
    sc_err err;

    item.value = value_of(item.key, version, bytes, item.flags);
    switch (number % 11) {
    case 0:
        sc__near_del(stage->near, item.key);
        atomic_store(&stage->deleted[number % KEYS], version);
        break;
    case 1:
        if (number % 100 == 1)
            sc__near_clear(stage->near);
        break;
    default:
        /* A reader may have lost the processor in his section. */
        err = sc__near_put(stage->near, &item);
        assert_true(!err || err == SC_EBUSY);
    }
}

/* A writer of its own part of the keys, so that versions only grow. */
struct writer {
    pthread_t thread;
    struct stage *stage;
    unsigned part;
};

static void *write_all(void *arg)
{
    struct writer *writer = arg;
    unsigned number = 1;

    for (uint64_t version = 1; version <= ROUNDS; version++) {
        number = number * 1664525u + 1013904223u;
        write_one(writer->stage, (number >> 8) * 2 + writer->part, version);
        if (version % 64 == 0)
            (void)sc__near_sweep(writer->stage->near, NOW + 1000);
    }
    atomic_fetch_sub(&writer->stage->writing, 1);
    return NULL;
}

TEST_LIMIT(readers_find_whole_values_whatever_writers_do, 120)
{
    static struct stage stage;
    static struct writer writers[2];
    pthread_t readers[READERS];
    sc__near_stats stats;

    assert_ok(sc__near_new(&(sc__near_opts){.max_bytes = 128 * 1024, .now_ms = NOW}, &stage.near));
    atomic_store(&stage.writing, 2);
    for (unsigned i = 0; i < 2; i++) {
        writers[i] = (struct writer){.stage = &stage, .part = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_all, &writers[i]), 0);
    }
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_all, &stage), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i].thread, NULL);
    for (int i = 0; i < READERS; i++)
        pthread_join(readers[i], NULL);

    sc__near_stats_get(stage.near, &stats);
    assert_int_equal(stats.hits, atomic_load(&stage.found));
    assert_true(stats.evicted > 0);
    assert_true(stats.bytes <= 10 * 1024 * 1024);
    sc__near_free(stage.near);
}
