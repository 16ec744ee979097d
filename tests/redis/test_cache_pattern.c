/* cache/del_pattern.c against a real server */
#include "base/glob.h"
#include "base/rand.h"
#include "support/cache_fixture.h"
#include "support/test.h"

TEST(a_pattern_removes_what_matches_among_ten_thousand_keys)
{
    struct cache_fixture f;
    int64_t removed;

    cache_fixture_start(&f);
    cache_populate(f.client, "sc:story:detail", 10000);
    cache_populate(f.client, "other", 10000);
    cache_populate(f.client, "sc:story:tree", 1);

    assert_ok(sc_cache_del_pattern(f.cache, SC_S("sc:story:detail:*"), NULL, &removed));
    assert_int_equal(removed, 10000);
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "10001");
    assert_ok(sc_cache_del_pattern(f.cache, SC_S("sc:story:*"), NULL, &removed));
    assert_int_equal(removed, 1);
    assert_err(sc_cache_del_pattern(f.cache, SC_S(""), NULL, &removed), SC_EINVAL);
    cache_fixture_stop(&f);
}

TEST(a_caller_is_told_how_far_it_is)
{
    struct cache_told told = {0};
    const sc_sweep sweep = {cache_on_progress, &told};
    struct cache_fixture f;
    int64_t removed;

    cache_fixture_start(&f);
    cache_populate(f.client, "a", 3000);
    cache_populate(f.client, "b", 2000);
    assert_ok(sc_cache_del_pattern(f.cache, SC_S("a:*"), &sweep, &removed));

    assert_int_equal(removed, 3000);
    assert_int_equal(told.done, 3000);
    assert_false(told.went_back);
    assert_in_range(told.times, 8, 20); /* also for slices where nothing matched */
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "2000");
    cache_fixture_stop(&f);
}

TEST(a_caller_may_stop_it_between_two_slices)
{
    struct cache_told told = {.stop_at = 500};
    const sc_sweep sweep = {cache_on_progress, &told};
    struct cache_fixture f;
    int64_t removed = -1;

    cache_fixture_start(&f);
    cache_populate(f.client, "a", 3000);
    assert_err(sc_cache_del_pattern(f.cache, SC_S("a:*"), &sweep, &removed), SC_ECANCELED);
    assert_int_equal(removed, -1);
    assert_in_range(told.done, 500, 1100);
    assert_int_equal(atoi(test_redis(&f.server, "DBSIZE")), 3000 - told.done);

    told.stop_at = 0;
    assert_ok(sc_cache_del_pattern(f.cache, SC_S("a:*"), &sweep, &removed));
    assert_string_equal(test_redis(&f.server, "DBSIZE"), "0");
    cache_fixture_stop(&f);
}

TEST(keys_of_any_type_and_any_bytes_are_removed)
{
    struct cache_fixture f;
    int64_t removed;

    cache_fixture_start(&f);
    test_redis(&f.server, "HSET x:hash f v");
    test_redis(&f.server, "RPUSH x:list v");
    test_redis(&f.server, "SET x:\xff\xfe v");
    test_redis(&f.server, "SET y[1] v");
    assert_ok(sc_cache_del_pattern(f.cache, SC_S("x:*"), NULL, &removed));
    assert_int_equal(removed, 3);
    assert_ok(sc_cache_del_pattern(f.cache, SC_S("y\\[1]"), NULL, &removed));
    assert_int_equal(removed, 1);
    cache_fixture_stop(&f);
}

static const char alphabet[] = "abc-]^*[\\?";

static size_t random_text(char *out, size_t max)
{
    size_t len = 1 + sc__rand_u64() % max;

    for (size_t i = 0; i < len; i++)
        out[i] = alphabet[sc__rand_u64() % (sizeof(alphabet) - 1)];
    return len;
}

static int count_in_redis(struct cache_fixture *f, sc_slice pattern)
{
    const sc_slice words[] = {SC_S("EVAL"), SC_S("return #redis.call('KEYS', ARGV[1])"), SC_S("0"),
                              pattern};

    return atoi(test_redis_words(&f->server, words, 4));
}

/* Any pattern means here what it means to the server. */
TEST(a_cache_without_a_server_matches_as_redis_does)
{
    enum { KEYS = 400, PATTERNS = 500 };
    char keys[KEYS][8], pattern[10];
    size_t lens[KEYS];
    struct cache_fixture f;

    cache_fixture_start(&f);
    for (int i = 0; i < KEYS; i++) {
        lens[i] = random_text(keys[i], 4);
        const sc_slice words[] = {SC_S("SET"), {keys[i], lens[i]}, SC_S("v")};

        test_redis_words(&f.server, words, 3);
    }
    for (int p = 0; p < PATTERNS; p++) {
        const sc_slice by = {pattern, random_text(pattern, sizeof(pattern))};
        int here = 0;

        for (int i = 0; i < KEYS; i++) {
            bool is_first = true;

            for (int j = 0; j < i && is_first; j++)
                is_first = !sc_slice_eq((sc_slice){keys[i], lens[i]}, (sc_slice){keys[j], lens[j]});
            here += is_first && sc__glob_matches(by, (sc_slice){keys[i], lens[i]});
        }
        if (here != count_in_redis(&f, by))
            fail_msg("%.*s", (int)by.len, by.ptr);
    }
    cache_fixture_stop(&f);
}

/* With KEYS, or all in one script, the server would be busy for over 100 ms with so many keys. */
TEST_LIMIT(no_slice_holds_the_server_up, 60)
{
    struct cache_fixture f;
    int64_t removed;
    int held_up = 1;

    cache_fixture_start(&f);
    cache_populate(f.client, "keep", 290000);
    test_redis(&f.server, "CONFIG SET slowlog-log-slower-than 100000");
    for (int i = 0; i < 5 && held_up;
         i++) { /* what holds up the machine does so only now and then */
        cache_populate(f.client, "gone", 10000);
        test_redis(&f.server, "SLOWLOG RESET");
        test_redis(&f.server, "CONFIG RESETSTAT");
        assert_ok(sc_cache_del_pattern(f.cache, SC_S("gone:*"), NULL, &removed));
        assert_int_equal(removed, 10000);
        assert_string_equal(test_redis(&f.server, "DBSIZE"), "290000");
        held_up = atoi(test_redis(&f.server, "SLOWLOG LEN"));
    }

    assert_int_equal(held_up, 0);
    assert_null(strstr(test_redis(&f.server, "INFO commandstats"), "cmdstat_keys"));
    assert_null(strstr(test_redis(&f.server, "INFO commandstats"), "cmdstat_del:"));
    cache_fixture_stop(&f);
}
