/* cache/tag_memo.c */
#include "cache/tag_memo.h"

#include <pthread.h>

#include "support/test.h"

enum { READERS = 3, TURNS = 20000 };

static const sc_slice one = {"p:tag:one", 9}, two = {"p:tag:two", 9};

static size_t known(const sc__tag_memo *memo, sc_slice key, sc__tag_version *ret_version)
{
    return sc__tag_memo_get(memo, &key, 1, ret_version);
}

static void note(sc__tag_memo *memo, sc_slice key, int64_t deleted, int64_t expired)
{
    sc__tag_memo_note(memo, sc__tag_memo_ticket(memo), &key, 1,
                      &(sc__tag_version){deleted, expired});
}

TEST(what_was_noted_is_known_until_it_changes)
{
    sc__tag_version version;
    sc__tag_memo memo;

    sc__tag_memo_init(&memo);
    assert_int_equal(known(&memo, one, &version), 0);
    note(&memo, one, 7, 5);
    note(&memo, two, 8, 0);
    assert_int_equal(known(&memo, one, &version), 1);
    assert_int_equal(version.deleted, 7);
    assert_int_equal(version.expired, 5);

    sc__tag_memo_changed(&memo, one);
    assert_int_equal(known(&memo, one, &version), 0);
    assert_int_equal(known(&memo, two, &version), 1);
    sc__tag_memo_all_changed(&memo);
    assert_int_equal(known(&memo, two, &version), 0);
    sc__tag_memo_release(&memo);
}

TEST(what_was_asked_for_before_a_change_is_not_noted)
{
    sc__tag_version version = {7, 0};
    sc__tag_memo memo;
    uint64_t ticket;

    sc__tag_memo_init(&memo);
    ticket = sc__tag_memo_ticket(&memo);
    sc__tag_memo_changed(&memo, one); /* before there is any place */
    sc__tag_memo_note(&memo, ticket, &one, 1, &version);
    assert_int_equal(known(&memo, one, &version), 0);
    ticket = sc__tag_memo_ticket(&memo);
    sc__tag_memo_all_changed(&memo);
    sc__tag_memo_note(&memo, ticket, &one, 1, &version);
    assert_int_equal(known(&memo, one, &version), 0);
    sc__tag_memo_note(&memo, 0, &one, 1, &version);
    assert_int_equal(known(&memo, one, &version), 0);
    sc__tag_memo_release(&memo);
}

TEST(tags_are_known_up_to_the_first_that_is_not)
{
    const sc_slice keys[] = {one, two, one};
    sc__tag_version versions[3];
    sc__tag_memo memo;

    sc__tag_memo_init(&memo);
    note(&memo, one, 7, 5);
    assert_int_equal(sc__tag_memo_get(&memo, keys, 3, versions), 1);
    note(&memo, two, 8, 0);
    assert_int_equal(sc__tag_memo_get(&memo, keys, 3, versions), 3);
    assert_int_equal(versions[1].deleted, 8);
    note(&memo, two, 0, 0); /* its key is lost */
    assert_int_equal(sc__tag_memo_get(&memo, keys, 3, versions), 1);
    sc__tag_memo_release(&memo);
}

TEST(more_tags_than_it_has_places_are_forgotten_not_mixed_up)
{
    sc__tag_version version;
    sc__tag_memo memo;
    char text[32];
    int count = 0;

    sc__tag_memo_init(&memo);
    for (int i = 1; i <= 3 * SC__TAG_MEMO_PLACES; i++) {
        snprintf(text, sizeof(text), "p:tag:%d", i);
        note(&memo, sc_slice_of(text), i, 0);
    }
    for (int i = 1; i <= 3 * SC__TAG_MEMO_PLACES; i++) {
        snprintf(text, sizeof(text), "p:tag:%d", i);
        if (!known(&memo, sc_slice_of(text), &version))
            continue;
        assert_int_equal(version.deleted, i);
        count++;
    }
    assert_in_range(count, 1, SC__TAG_MEMO_PLACES);
    sc__tag_memo_release(&memo);
}

static struct stage {
    sc__tag_memo memo;
    atomic_bool over;
} stage;

static void *read_on(void *arg)
{
    (void)arg;
    while (!atomic_load(&stage.over)) {
        sc__tag_version version;

        if (known(&stage.memo, one, &version))
            assert_int_equal(version.deleted, version.expired);
    }
    return NULL;
}

TEST(nobody_sees_half_of_a_version)
{
    pthread_t threads[READERS];

    sc__tag_memo_init(&stage.memo);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_on, NULL), 0);
    for (int i = 1; i <= TURNS; i++) {
        note(&stage.memo, one, i, i);
        if (i % 16 == 0)
            sc__tag_memo_changed(&stage.memo, one);
    }
    atomic_store(&stage.over, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);
    sc__tag_memo_release(&stage.memo);
}
