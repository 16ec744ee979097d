/* cache/watch.c against a real server */
#include <pthread.h>
#include <signal.h>

#include <storychain/cache_watch.h>

#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server server;
    sc_client *client;
    sc_cache_watch *watch;
    pthread_mutex_t mutex;
    char heard[1024]; /* the keys, a space behind each; "*" for any */
};

static void on_change(void *user, sc_slice key)
{
    struct fixture *f = user;
    const size_t len = strlen(f->heard);

    pthread_mutex_lock(&f->mutex);
    snprintf(f->heard + len, sizeof(f->heard) - len, "%.*s ", key.ptr ? (int)key.len : 1,
             key.ptr ? key.ptr : "*");
    pthread_mutex_unlock(&f->mutex);
}

static bool has_heard(struct fixture *f, const char *what)
{
    bool heard;

    pthread_mutex_lock(&f->mutex);
    heard = strstr(f->heard, what) != NULL;
    pthread_mutex_unlock(&f->mutex);
    return heard;
}

static void set_up(struct fixture *f, const char *prefix)
{
    *f = (struct fixture){.mutex = PTHREAD_MUTEX_INITIALIZER};
    test_server_start(&f->server);
    f->client = test_server_client(&f->server);
    assert_ok(sc_cache_watch_start(f->client, prefix, on_change, f, &f->watch, NULL));
}

static void tear_down(struct fixture *f)
{
    sc_cache_watch_stop(f->watch);
    sc_client_free(f->client);
    test_server_kill(&f->server, SIGKILL);
}

TEST(keys_with_the_prefix_are_told_each_time_they_change)
{
    struct fixture f;

    set_up(&f, "sc:");
    test_redis(&f.server, "SET sc:a 1");
    test_redis(&f.server, "SET other 1");
    wait_until(has_heard(&f, "sc:a "));
    test_redis(&f.server, "DEL sc:a");
    wait_until(has_heard(&f, "sc:a sc:a "));
    test_redis(&f.server, "SET sc:brief 1 PX 20");
    wait_until(has_heard(&f, "sc:brief sc:brief ")); /* its end, too */
    assert_false(has_heard(&f, "other"));
    tear_down(&f);
}

TEST(without_a_prefix_all_keys_are_told)
{
    struct fixture f;

    set_up(&f, NULL);
    test_redis(&f.server, "SET any 1");
    wait_until(has_heard(&f, "any "));
    test_redis(&f.server, "FLUSHALL");
    wait_until(has_heard(&f, "* "));
    tear_down(&f);
}

TEST(after_a_lost_connection_any_key_may_have_changed)
{
    struct fixture f;

    set_up(&f, "sc:");
    test_redis(&f.server, "CLIENT KILL TYPE normal SKIPME yes");
    wait_until(has_heard(&f, "* "));
    test_redis(&f.server, "SET sc:a 1");
    wait_until(has_heard(&f, "sc:a "));
    tear_down(&f);
}

TEST(a_server_that_may_not_tell_is_said_so)
{
    char url[200], long_prefix[1026] = "";
    sc_client_opts opts = {.url = url};
    struct fixture f;
    sc_client *limited;
    sc_cache_watch *watch;
    sc_reason why;

    set_up(&f, "");
    memset(long_prefix, 'x', 1025);
    assert_err(sc_cache_watch_start(f.client, long_prefix, on_change, &f, &watch, &why), SC_EINVAL);
    assert_err(sc_cache_watch_start(f.client, "", NULL, &f, &watch, &why), SC_EINVAL);
    test_redis(&f.server, "ACL SETUSER limited on >pw ~* +@all -client");
    snprintf(url, sizeof(url), "unix://limited:pw@%s", f.server.socket);
    assert_ok(sc_client_new(&opts, &limited, NULL));
    assert_ok(sc_client_wait_ready(limited, 10000, NULL));
    assert_err(sc_cache_watch_start(limited, "", on_change, &f, &watch, &why), SC_EPERM);
    assert_non_null(strstr(why.text, "CLIENT TRACKING"));
    sc_client_free(limited);
    sc_cache_watch_stop(NULL);
    tear_down(&f);
}
