/* app/services/analytics.c */
#include "app/services/analytics.h"

#include <pthread.h>

#include "support/test.h"

enum { THREADS = 32, EACH = 20 };

struct load {
    struct analytics *analytics;
    int number;
};

static struct store *open_store(void)
{
    char url[128];
    struct store *store;
    sc_reason reason;

    snprintf(url, sizeof(url), "sqlite://%s/test.db", test_folder());
    if (store_open(url, &store, &reason))
        fail_msg("%s", reason.text);
    return store;
}

static void *record(void *user)
{
    struct load *load = user;

    for (int i = 0; i < EACH; i++) {
        char key[32];
        struct event event = {.name = SC_S("chapter.read"), .at_ms = 1793392266000};

        event.key =
            (sc_slice){key, (size_t)snprintf(key, sizeof(key), "%d:%d", load->number, i / 2)};
        assert_ok(analytics_record(load->analytics, &event, NULL));
    }
    return NULL;
}

static int64_t count_of_day(struct store *store, const char *name)
{
    struct day_stats stats;
    int64_t count = 0;
    sc__arena arena;

    assert_ok(store_day_aggregate(store, 1793392266000, NULL, NULL));
    sc__arena_init(&arena, 1024 * 1024);
    assert_ok(store_day_list(store, 1793392266000, 1793392266000, &arena, &stats, NULL));
    for (size_t i = 0; i < stats.count; i++)
        if (sc_slice_eq(stats.items[i].name, sc_slice_of(name)))
            count = stats.items[i].count;
    sc__arena_release(&arena);
    return count;
}

TEST(events_of_many_threads_are_all_stored_once_and_in_few_batches)
{
    struct store *store = open_store();
    struct analytics *analytics;
    struct analytics_stats stats;
    struct load loads[THREADS];
    pthread_t threads[THREADS];

    assert_ok(analytics_new(store, &analytics, NULL));
    for (int i = 0; i < THREADS; i++) {
        loads[i] = (struct load){analytics, i};
        assert_int_equal(pthread_create(&threads[i], NULL, record, &loads[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);

    analytics_stats_get(analytics, &stats);
    assert_int_equal(stats.events, THREADS * EACH);
    assert_true(stats.batches < THREADS * EACH / 4);
    assert_int_equal(count_of_day(store, "chapter.read"),
                     THREADS * EACH / 2); /* pairs of one key */
    analytics_free(analytics);
    store_close(store);
}

TEST(a_lone_event_does_not_wait_for_company)
{
    struct store *store = open_store();
    struct analytics *analytics;
    struct event event = {.name = SC_S("story.viewed"), .at_ms = 1793392266000};

    assert_ok(analytics_new(store, &analytics, NULL));
    assert_ok(analytics_record(analytics, &event, NULL));

    assert_int_equal(count_of_day(store, "story.viewed"), 1);
    analytics_free(analytics);
    store_close(store);
}

TEST(a_batch_that_cannot_be_stored_is_an_error_and_the_next_one_is_fine)
{
    struct store *store = open_store();
    struct analytics *analytics;
    struct event nameless = {.at_ms = 1793392266000};
    struct event good = {.name = SC_S("story.viewed"), .at_ms = 1793392266000};
    struct analytics_stats stats;
    sc_reason reason = {""};

    assert_ok(analytics_new(store, &analytics, NULL));
    assert_true(analytics_record(analytics, &nameless, &reason) != SC_OK);
    assert_true(reason.text[0]);
    assert_ok(analytics_record(analytics, &good, &reason));

    analytics_stats_get(analytics, &stats);
    assert_int_equal(stats.events, 1);
    analytics_free(analytics);
    store_close(store);
}
