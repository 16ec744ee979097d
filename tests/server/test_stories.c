/* server/route_story.c and route_notification.c: what readers and writers ask for. */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "site.h"

#define CHAPTERS "/api/stories/the-lighthouse/chapters"

TEST(each_list_is_loaded_once_and_then_comes_from_the_cache)
{
    static const char *const paths[] = {"/api/stories",
                                        "/api/stories?list=new",
                                        "/api/stories?list=featured",
                                        "/api/stories?list=trending",
                                        "/api/stories?q=lamp",
                                        "/api/stories/the-lighthouse",
                                        "/api/stories/the-lighthouse/overview",
                                        "/api/stories/the-lighthouse/tree",
                                        CHAPTERS "/the-lamp",
                                        "/api/users/user_ada"};
    struct site site;

    site_start(&site, NULL);

    for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
        assert_int_equal(site_get(&site, paths[i]), 200);
        assert_string_equal(test_header(&site.answer, "Content-Type"), "application/json");
        assert_string_equal(test_header(&site.answer, "X-Cache"), "miss");
        assert_null(test_header(&site.answer, "Age"));
        assert_int_equal(site_get(&site, paths[i]), 200);
        assert_string_equal(test_header(&site.answer, "X-Cache"), "hit");
        assert_non_null(test_header(&site.answer, "Age"));
        json_decref(site_json(&site));
    }
    site_stop(&site);
}

TEST(an_answer_that_the_client_has_is_304)
{
    struct site site;
    char header[128];

    site_start(&site, NULL);
    assert_int_equal(site_get(&site, "/api/stories/the-lighthouse"), 200);
    snprintf(header, sizeof(header), "If-None-Match: %s\r\n", test_header(&site.answer, "ETag"));
    test_http(site.url, "GET", "/api/stories/the-lighthouse", header, NULL, &site.answer);

    assert_int_equal(site.answer.status, 304);
    assert_int_equal(site.answer.len, 0);
    site_stop(&site);
}

TEST(what_is_not_there_is_404_and_bad_questions_are_400)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/api/stories/no-such-story", 404},
        {"/api/stories/no-such-story/overview", 404},
        {"/api/stories/no-such-story/tree", 404},
        {"/api/stories/no-such-story/chapters/x", 404},
        {CHAPTERS "/no-such-chapter", 404},
        {"/api/stories/the-lighthouse/nothing", 404},
        {"/api/users/nobody", 404},
        {"/api/users/nobody/stories", 404},
        {"/api/users/nobody/notifications", 404},
        {"/api/users/nobody/notifications/count", 404},
        {"/api/stories?list=best", 400},
        {"/api/stories?q=", 400},
        {"/api/stories?list=%ff", 400},
        {"/api/stories/%ff", 400},
        {"/api/users/user_ada/notifications?limit=many", 400},
    };
    struct site site;

    site_start(&site, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        site_get(&site, cases[i].path);
        site_expect_problem(&site, cases[i].status);
    }
    site_stop(&site);
}

TEST(a_published_chapter_has_an_address_and_shows_at_once)
{
    struct site site;
    AUTO_JSON *list = NULL;

    site_start(&site, NULL);
    site_get(&site, "/api/stories/the-lighthouse/tree");
    site_get(&site, "/api/stories?list=new");

    assert_int_equal(site_post(&site, CHAPTERS,
                               "{\"title\":\"The Storm\",\"content\":\"Wind. \\u00e9\","
                               "\"parent\":\"the-lamp\",\"author\":\"user_ada\"}"),
                     201);

    assert_string_equal(test_header(&site.answer, "Location"), CHAPTERS "/the-storm");
    assert_string_equal(test_header(&site.answer, "Cache-Control"), "no-store");
    assert_string_equal(test_header(&site.answer, "X-Readers-Told"), "yes");
    assert_int_equal(site_get(&site, CHAPTERS "/the-storm"), 200);
    assert_true(site_says(&site, "Wind. \xc3\xa9"));
    assert_int_equal(site_get(&site, "/api/stories/the-lighthouse/tree"), 200);
    assert_string_equal(test_header(&site.answer, "X-Cache"), "miss");
    assert_true(site_says(&site, "the-storm"));
    site_get(&site, "/api/stories?list=new");
    assert_string_equal(test_header(&site.answer, "X-Cache"), "miss");
    assert_int_equal(site_get(&site, "/api/users/user_ben/notifications"), 200);
    list = site_json(&site);
    assert_int_equal(json_array_size(json_object_get(list, "notifications")), 1);
    site_stop(&site);
}

TEST(a_chapter_that_is_not_right_is_refused_with_the_reason)
{
    static const struct {
        const char *path, *body;
        int status;
    } cases[] = {
        {CHAPTERS, "", 400},
        {CHAPTERS, "{\"title\":", 400},
        {CHAPTERS, "[]", 400},
        {CHAPTERS, "{\"title\":\"\xff\xfe\"}", 400},
        {CHAPTERS, "{}", 422},
        {CHAPTERS, "{\"title\":5,\"content\":\"x\",\"author\":\"user_ada\"}", 422},
        {CHAPTERS, "{\"content\":\"x\",\"author\":\"user_ada\"}", 422},
        {CHAPTERS, "{\"title\":\"T\",\"content\":\"x\"}", 422},
        {CHAPTERS, "{\"title\":\"T\",\"content\":\"x\",\"author\":\"nobody\"}", 422},
        {CHAPTERS,
         "{\"title\":\"T\",\"slug\":\"Not A Slug\",\"content\":\"x\",\"author\":\"user_ada\"}",
         422},
        {CHAPTERS,
         "{\"title\":\"T\",\"content\":\"x\",\"parent\":\"gone\",\"author\":\"user_ada\"}", 422},
        {CHAPTERS,
         "{\"title\":\"T\",\"slug\":\"the-lamp\",\"content\":\"x\",\"author\":\"user_ada\"}", 409},
        {"/api/stories/none/chapters",
         "{\"title\":\"T\",\"content\":\"x\",\"author\":\"user_ada\"}", 404},
    };
    struct site site;

    site_start(&site, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        site_post(&site, cases[i].path, cases[i].body);
        site_expect_problem(&site, cases[i].status);
    }
    test_http(site.url, "POST", CHAPTERS, "Content-Type: text/plain\r\n", "{}", &site.answer);
    site_expect_problem(&site, 415);
    test_http(site.url, "PUT", CHAPTERS, NULL, "{}", &site.answer);
    site_expect_problem(&site, 405);
    assert_string_equal(test_header(&site.answer, "Allow"), "POST");
    test_http(site.url, "POST", CHAPTERS,
              "Content-Type: application/json\r\nOrigin: https://evil.example\r\n", "{}",
              &site.answer);
    site_expect_problem(&site, 403);
    site_stop(&site);
}

/* `len` bytes of JSON in chunks, without a Content-Length. */
static void post_chunks(struct site *site, size_t len)
{
    static const char head[] =
        "POST " CHAPTERS " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    char *bytes = malloc(len + 1024);
    size_t n;

    assert_non_null(bytes);
    n = (size_t)snprintf(bytes, 1024, "%s%zx\r\n", head, len);
    memset(bytes + n, ' ', len);
    n += len;
    memcpy(bytes + n, "\r\n0\r\n\r\n", 7);
    test_http_raw(site->url, bytes, n + 7, &site->answer);
    free(bytes);
}

TEST(a_body_over_its_limit_is_413_however_it_is_sent)
{
    size_t len = 2 * 1024 * 1024;
    char *body = malloc(len + 1);
    struct site site;

    site_start(&site, NULL);
    memset(body, ' ', len);
    body[len] = '\0';

    site_post(&site, CHAPTERS, body);
    site_expect_problem(&site, 413);
    post_chunks(&site, len);
    site_expect_problem(&site, 413);
    post_chunks(&site, 100);
    site_expect_problem(&site, 400);

    assert_int_equal(site_get(&site, "/healthz"), 200);
    free(body);
    site_stop(&site);
}

/* ---- Notifications ---- */

static int64_t count_of(struct site *site)
{
    AUTO_JSON *body = NULL;

    assert_int_equal(site_get(site, "/api/users/user_ben/notifications/count"), 200);
    body = site_json(site);
    return sc__json_int(body, "unread", -1);
}

static void notify(struct site *site, char ret_id[64])
{
    AUTO_JSON *body = NULL;

    assert_int_equal(
        site_post(site, "/api/users/user_ben/notifications",
                  "{\"type\":\"note\",\"title\":\"Hello\",\"message\":\"A \\\"word\\\"\","
                  "\"actionUrl\":\"/stories/x\",\"metadata\":{\"n\":1}}"),
        201);
    body = site_json(site);
    snprintf(ret_id, 64, "%s", sc__json_text(body, "id").ptr);
}

TEST(notifications_are_made_listed_counted_and_read)
{
    struct site site;
    char first[64], second[64], path[160];

    site_start(&site, NULL);
    assert_int_equal(count_of(&site), 0);
    notify(&site, first);
    notify(&site, second);
    assert_int_equal(count_of(&site), 2);
    assert_string_equal(test_header(&site.answer, "X-Cache"), "miss");
    assert_int_equal(count_of(&site), 2);
    assert_string_equal(test_header(&site.answer, "X-Cache"), "hit");

    snprintf(path, sizeof(path), "/api/users/%s/notifications/%s/read", site.ben, first);
    assert_int_equal(site_post(&site, path, "{}"), 200);
    assert_int_equal(count_of(&site), 1);
    assert_int_equal(site_get(&site, "/api/users/user_ben/notifications?unread=true"), 200);
    assert_true(site_says(&site, second) && !site_says(&site, first));
    assert_int_equal(site_post(&site, "/api/users/user_ben/notifications/read", "{}"), 200);

    assert_int_equal(count_of(&site), 0);
    snprintf(path, sizeof(path), "/api/users/user_ada/notifications/%s/read", first);
    site_post(&site, path, "{}");
    site_expect_problem(&site, 404);
    site_stop(&site);
}

static size_t page_size(struct site *site, const char *query)
{
    AUTO_JSON *body = NULL;
    char path[160];

    snprintf(path, sizeof(path), "/api/users/user_ben/notifications%s", query);
    assert_int_equal(site_get(site, path), 200);
    body = site_json(site);
    return json_array_size(json_object_get(body, "notifications"));
}

TEST(pages_stay_inside_their_bounds)
{
    struct site site;
    char id[64];

    site_start(&site, NULL);
    for (int i = 0; i < 3; i++)
        notify(&site, id);

    assert_int_equal(page_size(&site, ""), 3);
    assert_int_equal(page_size(&site, "?limit=2"), 2);
    assert_int_equal(page_size(&site, "?limit=0"), 1);
    assert_int_equal(page_size(&site, "?limit=-7"), 1);
    assert_int_equal(page_size(&site, "?limit=999999999"), 3);
    assert_int_equal(page_size(&site, "?offset=2"), 1);
    assert_int_equal(page_size(&site, "?offset=-2"), 3);
    assert_int_equal(page_size(&site, "?offset=99999999999"), 0);
    site_stop(&site);
}

TEST(a_notification_that_is_not_right_is_refused)
{
    static const char *const bodies[] = {
        "{}", "{\"type\":\"note\",\"title\":\"x\"}",
        "{\"type\":1,\"title\":\"x\",\"message\":\"y\"}",
        "{\"type\":\"note\",\"title\":\"x\",\"message\":\"y\",\"metadata\":[]}"};
    struct site site;

    site_start(&site, NULL);

    for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
        site_post(&site, "/api/users/user_ben/notifications", bodies[i]);
        site_expect_problem(&site, 422);
    }
    site_post(&site, "/api/users/nobody/notifications",
              "{\"type\":\"note\",\"title\":\"x\",\"message\":\"y\"}");
    site_expect_problem(&site, 404);
    site_stop(&site);
}

TEST(a_client_that_writes_too_much_is_asked_to_wait)
{
    struct site site;
    char id[64];

    site_start(&site, &(struct http_opts){.max_writes = 2});
    notify(&site, id);
    notify(&site, id);
    site_post(&site, "/api/users/user_ben/notifications", "{}");

    site_expect_problem(&site, 429);
    assert_in_range(atoi(test_header(&site.answer, "Retry-After")), 1, 60);
    assert_int_equal(site_get(&site, "/api/stories"), 200);
    site_stop(&site);
}

/* ---- Clients that come and go ---- */

TEST(clients_that_go_away_while_they_are_answered_do_no_harm)
{
    static const char request[] = "GET /api/stories HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct site site;

    site_start(&site, NULL);

    for (int i = 0; i < 200; i++) {
        int fd = test_http_dial(site.url);

        assert_int_equal(send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL), sizeof(request) - 1);
        close(fd);
    }
    assert_int_equal(site_get(&site, "/api/stories"), 200);
    site_stop(&site);
}

struct reader {
    char url[64];
    atomic_bool *stop;
    atomic_int *answered;
};

static void *keep_reading(void *arg)
{
    struct reader *reader = arg;
    static const char request[] =
        "GET /api/stories/the-lighthouse HTTP/1.1\r\nHost: localhost\r\n\r\n";
    char bytes[8192];

    while (!atomic_load(reader->stop)) {
        int fd = test_http_try_dial(reader->url);

        if (fd < 0)
            break;
        while (!atomic_load(reader->stop) &&
               send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL) > 0 &&
               recv(fd, bytes, sizeof(bytes), 0) > 0)
            atomic_fetch_add(reader->answered, 1);
        close(fd);
    }
    return NULL;
}

TEST(a_server_that_is_stopped_amid_requests_ends_cleanly)
{
    enum { READERS = 8 };
    struct site site;
    atomic_bool stop = false;
    atomic_int answered = 0;
    pthread_t threads[READERS];
    struct reader reader;

    site_start(&site, NULL);
    reader = (struct reader){"", &stop, &answered};
    snprintf(reader.url, sizeof(reader.url), "%s", site.url);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, keep_reading, &reader), 0);
    wait_until(atomic_load(&answered) > 100);
    http_stop(site.http);
    site.http = NULL;
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        pthread_join(threads[i], NULL);

    site_stop(&site);
}

TEST_LIMIT(a_chapter_is_published_while_redis_is_away_and_readers_are_told_later, 90)
{
    struct site site;

    site_start_with(&site, NULL, 0);
    site_fill(&site);
    assert_int_equal(kill((pid_t)sc_embedded_pid(site.app->redis), SIGSTOP), 0);

    assert_int_equal(
        site_post(&site, CHAPTERS,
                  "{\"title\":\"The Storm\",\"content\":\"Wind.\",\"parent\":\"the-lamp\","
                  "\"author\":\"user_ada\"}"),
        201);

    assert_string_equal(test_header(&site.answer, "X-Readers-Told"), "no");
    assert_int_equal(site_get(&site, CHAPTERS "/the-storm"), 200);
    assert_string_equal(test_header(&site.answer, "X-Cache"), "miss");
    assert_int_equal(kill((pid_t)sc_embedded_pid(site.app->redis), SIGCONT), 0);
    wait_until(site_get(&site, "/readyz") == 200);
    assert_int_equal(site_get(&site, "/api/stories/the-lighthouse/tree"), 200);
    assert_true(site_says(&site, "the-storm"));
    site_stop(&site);
}
