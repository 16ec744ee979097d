/* app/cache_keys.c, app/cache_ttl.c */
#include "app/cache_keys.h"
#include "app/cache_ttl.h"
#include "base/mem.h"
#include "base/rand.h"
#include "support/test.h"

#define assert_key(call, text)                                                                     \
    do {                                                                                           \
        assert_ok(call);                                                                           \
        assert_slice(sc__str_slice(&key), text);                                                   \
    } while (0)

TEST(each_maker_gives_the_exact_key)
{
    AUTO_STR key = CACHE_KEY;
    sc_slice slug = SC_S("my-story"), user = SC_S("user_2abC");

    assert_key(cache_key_story_detail(&key, slug), "sc:story:detail:slug=my-story");
    assert_key(cache_key_story_tree(&key, slug), "sc:story:tree:slug=my-story");
    assert_key(cache_key_story_overview(&key, slug), "sc:story:overview:slug=my-story");
    assert_key(cache_key_story_list(&key, STORY_LIST_PUBLISHED), "sc:story:list:published");
    assert_key(cache_key_story_list(&key, STORY_LIST_NEW), "sc:story:list:new");
    assert_key(cache_key_story_list(&key, STORY_LIST_FEATURED), "sc:story:list:featured");
    assert_key(cache_key_user_stories(&key, user), "sc:story:list:userId=user_2abC");
    assert_key(cache_key_chapter_detail(&key, slug, SC_S("one")),
               "sc:chapter:detail:chapterSlug=one:storySlug=my-story");
    assert_key(cache_key_user_profile(&key, user), "sc:user:detail:clerkId=user_2abC");
    assert_key(cache_key_notification_count(&key, user), "sc:notification:count:userId=user_2abC");
    assert_key(cache_key_reading_history(&key, user, slug),
               "sc:reading-history:detail:storySlug=my-story:userId=user_2abC");
    assert_key(cache_key_rate_limit(&key, SC_S("::1")), "sc:rate-limit:client=%3A%3A1");
}

TEST(identifiers_are_sorted_and_a_variant_comes_last)
{
    AUTO_STR key = CACHE_KEY;
    const struct cache_id ids[] = {
        {SC_S("tag"), SC_S("sea")}, {SC_S("q"), SC_S("white whale")}, {SC_S("ta"), SC_S("1")}};

    assert_key(cache_key_build(&key, CACHE_STORY, CACHE_SEARCH, ids, 3, SC_S("page2")),
               "sc:story:search:q=white%20whale:ta=1:tag=sea:page2");
    assert_key(cache_key_build(&key, CACHE_AUTOSAVE, CACHE_SETTINGS, NULL, 0, SC_S("")),
               "sc:autosave:settings");
}

TEST(values_never_act_as_separators_or_wildcards)
{
    AUTO_STR key = CACHE_KEY;

    assert_key(cache_key_story_detail(&key, SC_S("a:b=c*d?e[f]g\\h%i j\x01\n\x7f/")),
               "sc:story:detail:slug=a%3Ab%3Dc%2Ad%3Fe%5Bf%5Dg%5Ch%25i%20j%01%0A%7F%2F");
    assert_key(cache_key_story_detail(&key, SC_S("\xc3\xa9\0x")),
               "sc:story:detail:slug=%C3%A9%00x");
    assert_key(cache_key_story_detail(&key, SC_S("A-z_0.9~")), "sc:story:detail:slug=A-z_0.9~");
}

TEST(patterns_name_an_operation_an_entity_or_everything)
{
    AUTO_STR key = CACHE_KEY;

    assert_key(cache_key_pattern(&key, CACHE_STORY, CACHE_DETAIL), "sc:story:detail:*");
    assert_key(cache_key_pattern(&key, CACHE_STORY, CACHE_ANY_OPERATION), "sc:story:*");
    assert_key(cache_key_pattern(&key, CACHE_ANY_ENTITY, CACHE_ANY_OPERATION), "sc:*");
    assert_err(cache_key_pattern(&key, CACHE_ANY_ENTITY, CACHE_DETAIL), SC_EINVAL);
}

TEST(a_key_that_cannot_be_made_is_left_empty)
{
    AUTO_STR key = CACHE_KEY;
    const struct cache_id twice[] = {{SC_S("a"), SC_S("1")}, {SC_S("a"), SC_S("2")}};
    const struct cache_id unnamed = {SC_S(""), SC_S("1")};
    char *large = sc__malloc(20000);

    memset(large, 'x', 20000);

    assert_err(cache_key_build(&key, CACHE_STORY, CACHE_LIST, twice, 2, SC_S("")), SC_EINVAL);
    assert_int_equal(key.len, 0);
    assert_err(cache_key_build(&key, CACHE_STORY, CACHE_LIST, &unnamed, 1, SC_S("")), SC_EINVAL);
    assert_err(cache_key_build(&key, (enum cache_entity)99, CACHE_LIST, NULL, 0, SC_S("")),
               SC_EINVAL);
    assert_err(cache_key_build(&key, CACHE_ANY_ENTITY, CACHE_LIST, NULL, 0, SC_S("")), SC_EINVAL);
    assert_err(cache_key_story_list(&key, STORY_LIST_COUNT), SC_EINVAL);
    assert_err(cache_key_story_detail(&key, (sc_slice){large, 20000}), SC_ETOOBIG);
    assert_int_equal(key.len, 0);
    assert_key(cache_key_story_detail(&key, SC_S("x")), "sc:story:detail:slug=x");
    sc_free(large);
}

/* A call of cache_key_build() with parts from a small alphabet, so that equal keys would be likely. */
struct call {
    enum cache_operation operation;
    char text[7][5]; /* name and value of three identifiers; variant */
    size_t id_count;
};

static void random_call(struct call *c)
{
    static const char letters[] = "q:=%3A";

    c->operation = (enum cache_operation)(sc__rand_u64() % 2);
    c->id_count = sc__rand_u64() % 4;
    for (size_t i = 0; i < 7; i++) {
        size_t len = sc__rand_u64() % 3;

        memset(c->text[i], 0, sizeof(c->text[i]));
        if (i < 6 && i % 2 == 0) /* a name: not empty, and another one than the others */
            c->text[i][len++] = (char)('p' + i / 2);
        for (size_t n = 0; n < len; n++)
            if (!c->text[i][n])
                c->text[i][n] = letters[sc__rand_u64() % (sizeof(letters) - 1)];
    }
    for (size_t i = c->id_count * 2; i < 6; i++)
        memset(c->text[i], 0, sizeof(c->text[i]));
}

static void build(sc__str *key, const struct call *c, bool backwards)
{
    struct cache_id ids[3];

    for (size_t i = 0; i < c->id_count; i++) {
        size_t at = backwards ? c->id_count - 1 - i : i;

        ids[at] = (struct cache_id){sc_slice_of(c->text[i * 2]), sc_slice_of(c->text[i * 2 + 1])};
    }
    assert_ok(
        cache_key_build(key, CACHE_STORY, c->operation, ids, c->id_count, sc_slice_of(c->text[6])));
}

struct made {
    struct call call;
    char key[160];
};

static int by_key(const void *a, const void *b)
{
    return strcmp(((const struct made *)a)->key, ((const struct made *)b)->key);
}

TEST(two_different_calls_never_give_one_key)
{
    enum { CALLS = 20000 };
    AUTO_STR key = CACHE_KEY;
    struct made *all = sc__calloc(CALLS, sizeof(*all));

    for (size_t i = 0; i < CALLS; i++) {
        random_call(&all[i].call);
        build(&key, &all[i].call, i % 2);
        assert_true(key.len < sizeof(all[i].key));
        memcpy(all[i].key, key.ptr, key.len);
    }

    qsort(all, CALLS, sizeof(*all), by_key);

    for (size_t i = 1; i < CALLS; i++)
        if (strcmp(all[i].key, all[i - 1].key) == 0)
            assert_memory_equal(&all[i].call, &all[i - 1].call, sizeof(all[i].call));
    sc_free(all);
}

TEST(names_of_the_tables_are_found)
{
    enum cache_entity entity;
    enum cache_operation operation;
    enum cache_ttl ttl;

    assert_ok(cache_entity_find(SC_S("reading-history"), &entity));
    assert_int_equal(entity, CACHE_READING_HISTORY);
    assert_ok(cache_operation_find(SC_S("overview"), &operation));
    assert_int_equal(operation, CACHE_OVERVIEW);
    assert_ok(cache_ttl_find(SC_S("STORY_DETAIL"), &ttl));
    assert_true(cache_ttl_ms(ttl) == 3600 * 1000);
    assert_string_equal(cache_ttl_name(CACHE_TTL_RATE_LIMIT), "RATE_LIMIT");
    assert_err(cache_entity_find(SC_S("stories"), &entity), SC_ENOTFOUND);
    assert_err(cache_operation_find(SC_S(""), &operation), SC_ENOTFOUND);
    assert_err(cache_ttl_find(SC_S("story_detail"), &ttl), SC_ENOTFOUND);
}

TEST(ttls_are_those_of_the_table)
{
    static const int64_t seconds[CACHE_TTL_COUNT] = {
        [CACHE_TTL_STORY_DETAIL] = 3600,      [CACHE_TTL_STORY_OVERVIEW] = 1800,
        [CACHE_TTL_USER_PROFILE] = 3600,      [CACHE_TTL_STORY_LIST_PUBLISHED] = 600,
        [CACHE_TTL_STORY_LIST_NEW] = 300,     [CACHE_TTL_STORY_TREE] = 900,
        [CACHE_TTL_NOTIFICATION_COUNT] = 120, [CACHE_TTL_READING_HISTORY] = 300,
        [CACHE_TTL_SEARCH_RESULTS] = 180,     [CACHE_TTL_RATE_LIMIT] = 60,
    };

    for (int i = 0; i < CACHE_TTL_COUNT; i++)
        assert_true(cache_ttl_ms((enum cache_ttl)i) == seconds[i] * 1000);
}
