/* redis/url.c */
#include "redis/url.h"
#include "support/test.h"

static const struct {
    const char *text, *host;
    int port;
    const char *user, *password;
    int db;
    bool tls;
    const char *path, *shown;
} good[] = {
    {"redis://", "127.0.0.1", 6379, NULL, NULL, 0, false, NULL, "redis://127.0.0.1:6379"},
    {"redis://h", "h", 6379, NULL, NULL, 0, false, NULL, "redis://h:6379"},
    {"REDIS://h:1/", "h", 1, NULL, NULL, 0, false, NULL, "redis://h:1"},
    {"redis://:p%40s@h:7/3", "h", 7, NULL, "p@s", 3, false, NULL, "redis://h:7"},
    {"redis://u:a:b@c@h", "h", 6379, "u", "a:b@c", 0, false, NULL, "redis://h:6379"},
    {"redis://u@h?db=2", "h", 6379, "u", NULL, 2, false, NULL, "redis://h:6379"},
    {"rediss://[::1]:70/1", "::1", 70, NULL, NULL, 1, true, NULL, "rediss://[::1]:70"},
    {"redis://[fe80::1]", "fe80::1", 6379, NULL, NULL, 0, false, NULL, "redis://[fe80::1]:6379"},
    {"unix:///run/r.sock", NULL, 0, NULL, NULL, 0, false, "/run/r.sock", "unix:///run/r.sock"},
    {"unix:///a%20b%3f?db=4", NULL, 0, NULL, NULL, 4, false, "/a b?", "unix:///a b?"},
    {"unix://u:p@/r.sock", NULL, 0, "u", "p", 0, false, "/r.sock", "unix:///r.sock"},
};

static void assert_text(const char *got, const char *expected)
{
    if (expected)
        assert_string_equal(got, expected);
    else
        assert_null(got);
}

TEST(each_part_of_a_url_is_found)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        sc_reason reason = {""};
        sc__url url;

        if (sc__url_parse(good[i].text, &url, &reason))
            fail_msg("%s: %s", good[i].text, reason.text);

        assert_text(url.host, good[i].host);
        assert_int_equal(url.port, good[i].port);
        assert_text(url.user, good[i].user);
        assert_text(url.password, good[i].password);
        assert_int_equal(url.db, good[i].db);
        assert_int_equal(url.tls, good[i].tls);
        assert_text(url.path, good[i].path);
        assert_string_equal(url.shown, good[i].shown);
        sc__url_release(&url);
    }
}

TEST(sentinels_are_named_with_their_master)
{
    sc__url url;

    assert_ok(
        sc__url_parse("Redis+Sentinel://u:p%2c@a,[::1]:7,b:8/my%20master/3?sentinel_password=s%26t"
                      "&sentinel_user=w",
                      &url, NULL));

    assert_string_equal(url.master, "my master");
    assert_null(url.host);
    assert_text(url.user, "u");
    assert_text(url.password, "p,");
    assert_int_equal(url.db, 3);
    assert_int_equal(url.sentinel_count, 3);
    assert_text(url.sentinels[0].host, "a");
    assert_int_equal(url.sentinels[0].port, 26379);
    assert_text(url.sentinels[1].host, "::1");
    assert_int_equal(url.sentinels[1].port, 7);
    assert_text(url.sentinels[2].host, "b");
    assert_text(url.sentinels[2].user, "w");
    assert_text(url.sentinels[2].password, "s&t");
    assert_false(url.sentinels[2].tls);
    assert_string_equal(url.shown, "redis+sentinel://a:26379,[::1]:7,b:8/my master");
    sc__url_release(&url);

    assert_ok(sc__url_parse("rediss+sentinel:///m", &url, NULL));
    assert_true(url.tls && url.sentinels[0].tls);
    assert_string_equal(url.shown, "rediss+sentinel://127.0.0.1:26379/m");
    assert_null(url.sentinels[0].password);
    sc__url_release(&url);
}

static const char *const bad[] = {
    "redis+sentinel://h",
    "redis+sentinel://h/",
    "redis+sentinel://h//1",
    "redis+sentinel://h:0/m",
    "redis+sentinel://h,x:y/m",
    "redis+sentinel://h/m/one",
    "redis+sentinel://h/m?db=1",
    "redis+sentinel://h/m?sentinel_password=secret&sentinel_password=secret",
    "redis+sentinel://h/m?sentinel_password=secret%00",
    "redis+sentinel://0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2,3,4,5,6,7,8,9,0,1,2/m",
    "",
    "localhost:6379",
    "http://h",
    "redis:/h",
    "redis://h:",
    "redis://h:0",
    "redis://h:65536",
    "redis://h:12a",
    "redis://:secret@h:x",
    "redis://h/one",
    "redis://h/-1",
    "redis://h/99999999999999999999",
    "redis://h?tls=1",
    "redis://:secret%zz@h",
    "redis://:secret%00@h",
    "redis://:secret%@h",
    "redis://[::1",
    "redis://[::1]6379",
    "unix://",
    "unix://relative.sock",
    "unix:///a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path/a/very/long/path/"
    "a/very/long/path/"
    "a/very/long/path.sock",
};

TEST(a_bad_url_is_refused_with_a_reason_that_keeps_the_secret)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        sc_reason reason = {""};
        sc__url url;

        if (sc__url_parse(bad[i], &url, &reason) != SC_EINVAL)
            fail_msg("%s is taken", bad[i]);

        assert_true(strlen(reason.text) > 20);
        assert_null(strstr(reason.text, "secret"));
    }
}
