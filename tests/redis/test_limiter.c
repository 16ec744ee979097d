/* cache/limiter.c against a real server */
#include <signal.h>
#include <stdatomic.h>

#include <storychain/limiter.h>

#include "support/server.h"
#include "support/test.h"

enum { DAY_MS = 86400000 };

struct fixture {
    struct test_server server;
    sc_client *client;
    sc_limiter *limiter;
};

static void set_up(struct fixture *f, sc_limiter_kind kind, int64_t max, int64_t window_ms)
{
    const sc_limiter_opts opts = {
        .max = max, .window_ms = window_ms, .timeout_ms = 10000, .kind = kind};

    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    assert_ok(sc_limiter_new(f->client, &opts, &f->limiter, NULL));
}

static void tear_down(struct fixture *f)
{
    sc_limiter_free(f->limiter);
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

static sc_limit check(struct fixture *f)
{
    sc_limit limit;

    assert_ok(sc_limiter_check(f->limiter, SC_S("k"), &limit));
    assert_int_equal(limit.trouble, SC_OK);
    return limit;
}

/* The server's clock in buckets of `window_ms`. */
static int64_t bucket_now(struct fixture *f, int64_t window_ms, double *ret_elapsed)
{
    long long s = 0, us = 0;
    int64_t ms;

    sscanf(test_redis(&f->server, "TIME"), "%lld %lld", &s, &us);
    ms = s * 1000 + us / 1000;
    *ret_elapsed = (double)(ms % window_ms) / (double)window_ms;
    return ms / window_ms;
}

static void set_buckets(struct fixture *f, int64_t at, int count, int before)
{
    char value[64];
    const sc_slice words[] = {SC_S("SET"), SC_S("k"), {value, 0}};
    sc_slice set[3];

    memcpy(set, words, sizeof(set));
    set[2].len = (size_t)snprintf(value, sizeof(value), "%lld %d %d", (long long)at, count, before);
    test_redis_words(&f->server, set, 3);
}

TEST(a_fixed_window_takes_so_many_requests)
{
    struct fixture f;
    sc_limit limit;

    set_up(&f, SC_LIMITER_FIXED, 3, DAY_MS);
    for (int i = 2; i >= 0; i--) {
        assert_ok(sc_limiter_check(f.limiter, SC_S("a"), &limit));
        assert_true(limit.allowed);
        assert_int_equal(limit.remaining, i);
        assert_in_range(limit.reset_ms, DAY_MS - 600000, DAY_MS);
    }
    assert_ok(sc_limiter_check(f.limiter, SC_S("a"), &limit));
    assert_false(limit.allowed);
    assert_int_equal(limit.remaining, 0);
    assert_ok(sc_limiter_check(f.limiter, SC_S("b"), &limit));
    assert_true(limit.allowed);
    test_redis(&f.server, "PEXPIRE a 1");
    wait_until(sc_limiter_check(f.limiter, SC_S("a"), &limit) == SC_OK && limit.allowed);
    assert_err(sc_limiter_check(f.limiter, SC_S(""), &limit), SC_EINVAL);
    tear_down(&f);
}

TEST(so_many_requests_fit_into_the_window)
{
    struct fixture f;
    sc_limit limit;

    set_up(&f, SC_LIMITER_SLIDING, 3, 1000 * (int64_t)DAY_MS);
    for (int i = 2; i >= 0; i--) {
        limit = check(&f);
        assert_true(limit.allowed);
        assert_int_equal(limit.remaining, i);
        assert_true(i ? limit.reset_ms == 0 : limit.reset_ms > 0);
    }
    limit = check(&f);
    assert_false(limit.allowed);
    assert_int_equal(limit.remaining, 0);
    assert_true(limit.reset_ms > 0);
    assert_true(strtoll(test_redis(&f.server, "PTTL k"), NULL, 10) > 1000 * (int64_t)DAY_MS);
    tear_down(&f);
}

TEST(what_a_window_still_covers_of_the_one_before_counts)
{
    const int64_t window_ms = 100 * (int64_t)DAY_MS;
    struct fixture f;
    sc_limit limit;
    double elapsed;
    int64_t at;

    set_up(&f, SC_LIMITER_SLIDING, 1000000, window_ms);
    at = bucket_now(&f, window_ms, &elapsed);
    set_buckets(&f, at - 1, 1000000, 500000); /* of which only the first are those before now */
    limit = check(&f);
    assert_true(limit.allowed);
    assert_in_range(limit.remaining, 1000000 * elapsed - 10, 1000000 * elapsed + 10);

    set_buckets(&f, at - 2, 1000000, 1000000); /* long past */
    assert_int_equal(check(&f).remaining, 999999);
    set_buckets(&f, at, 1000000, 0); /* full: the next one must begin */
    limit = check(&f);
    assert_false(limit.allowed);
    assert_true(limit.reset_ms >= (1 - elapsed) * (double)window_ms - 60000);
    tear_down(&f);
}

/* However they come, no window of time sees many more than the maximum. */
TEST(requests_are_allowed_again_as_the_window_slides)
{
    struct fixture f;
    sc_limit limit;
    int allowed = 0;

    set_up(&f, SC_LIMITER_SLIDING, 4, 400);
    do {
        limit = check(&f);
        allowed += limit.allowed;
    } while (limit.allowed && allowed < 1000);
    assert_true(limit.reset_ms > 0 && limit.reset_ms <= 800);
    wait_until(check(&f).allowed);
    tear_down(&f);
}

TEST(rubbish_in_the_counter_is_an_empty_window)
{
    struct fixture f;

    set_up(&f, SC_LIMITER_SLIDING, 10, 60000);
    test_redis(&f.server, "SET k rubbish");
    assert_int_equal(check(&f).remaining, 9);
    tear_down(&f);
}

TEST(wrong_options_are_refused)
{
    const sc_limiter_opts wrong[] = {{.max = 0, .window_ms = 1},
                                     {.max = 1, .window_ms = 0},
                                     {.max = 1, .window_ms = INT64_MAX},
                                     {.max = INT64_MAX, .window_ms = 1},
                                     {.max = 1, .window_ms = 1, .timeout_ms = -1},
                                     {.max = 1, .window_ms = 1, .kind = 2}};
    struct fixture f;
    sc_limiter *limiter;
    sc_reason why;

    set_up(&f, SC_LIMITER_SLIDING, 1, 1);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        assert_err(sc_limiter_new(f.client, &wrong[i], &limiter, &why), SC_EINVAL);
    tear_down(&f);
}

/* What a callback was told. */
struct told {
    atomic_int count;
    sc_limit limit;
    struct fixture *f;
    sc_err inner_err; /* of a call that waits, made in there */
};

static void on_limit(void *user, const sc_limit *limit)
{
    struct told *told = user;
    sc_limit inner;

    told->limit = *limit;
    told->inner_err = sc_limiter_check(told->f->limiter, SC_S("k"), &inner);
    atomic_fetch_add(&told->count, 1);
}

static sc_limit check_async(struct told *told)
{
    const int before = atomic_load(&told->count);

    assert_ok(sc_limiter_check_async(told->f->limiter, SC_S("k"), on_limit, told));
    wait_until(atomic_load(&told->count) == before + 1);
    return told->limit;
}

TEST(a_request_is_counted_without_waiting)
{
    struct fixture f;
    struct told told = {.f = &f};

    set_up(&f, SC_LIMITER_FIXED, 2, DAY_MS);
    assert_int_equal(check_async(&told).remaining, 1);
    assert_int_equal(told.inner_err, SC_EDEADLK);
    assert_true(check_async(&told).allowed);
    assert_false(check_async(&told).allowed);
    assert_false(check(&f).allowed);
    assert_err(sc_limiter_check_async(f.limiter, SC_S(""), on_limit, &told), SC_EINVAL);

    sc_limiter_free(f.limiter);
    assert_ok(sc_limiter_new(f.client,
                             &(sc_limiter_opts){.max = 2, .window_ms = DAY_MS, .timeout_ms = 10},
                             &f.limiter, NULL));
    test_server_kill(&f.server, SIGKILL);
    wait_until(check_async(&told).trouble == SC_ECONNECT);
    assert_true(told.limit.allowed);
    assert_int_equal(told.limit.remaining, 2);
    sc_limiter_free(f.limiter);
    sc_client_free(f.client);
}
