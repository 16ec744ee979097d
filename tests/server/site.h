/* A whole StoryChain for a test: app and HTTP server in the test's folder, and a story in it. */
#ifndef TEST_SERVER_SITE_H
#define TEST_SERVER_SITE_H

#include "app/app.h"
#include "app/services/chapters.h"
#include "app/services/stories.h"
#include "app/services/users.h"
#include "base/json.h"
#include "server/http.h"
#include "support/http.h"
#include "support/test.h"

struct site {
    struct app *app;
    struct http *http;
    const char *url;
    const struct catalog *catalog;
    sc__arena arena;
    char ada[64], ben[64];     /* ids of users: who writes, who follows */
    struct test_answer answer; /* of the last call */
};

static inline void site_add_user(struct site *site, const char *clerk_id, const char *name,
                                 char ret_id[64])
{
    struct user user = {.clerk_id = sc_slice_of(clerk_id), .name = sc_slice_of(name)};

    assert_ok(user_put(site->catalog, &user, &site->arena, NULL, NULL));
    snprintf(ret_id, 64, "%s", user.id.ptr);
}

static inline void site_add_story(struct site *site)
{
    const struct story_draft story = {.slug = SC_S("the-lighthouse"),
                                      .title = SC_S("The Lighthouse"),
                                      .summary = SC_S("A lamp, a storm, and two ways to go on"),
                                      .author_id = sc_slice_of(site->ada),
                                      .publish = true};
    const struct chapter_draft chapter = {.slug = SC_S("the-lamp"),
                                          .title = SC_S("The Lamp"),
                                          .content = SC_S("It was *dark*."),
                                          .author_id = sc_slice_of(site->ada)};
    struct story *made_story;
    struct chapter *made;

    assert_ok(story_create(site->catalog, &story, &site->arena, &made_story, NULL));
    assert_ok(
        chapter_publish(site->catalog, story.slug, &chapter, &site->arena, &made, NULL, NULL));
    assert_ok(story_follow(site->catalog, story.slug, sc_slice_of(site->ben), true, NULL, NULL));
}

/* With two users and a story. */
static inline void site_fill(struct site *site)
{
    site_add_user(site, "user_ada", "Ada", site->ada);
    site_add_user(site, "user_ben", "Ben", site->ben);
    site_add_story(site);
}

/* Nothing in it yet. Its cache waits for Redis for so long; 0: as ever. */
static inline void site_start_with(struct site *site, const struct http_opts *given,
                                   int64_t cache_timeout_ms)
{
    struct http_opts opts = given ? *given : (struct http_opts){0};
    struct app_opts app_opts = {.cache_timeout_ms = cache_timeout_ms};
    char folder[128];
    sc_reason reason = {""};

    memset(site, 0, sizeof(*site));
    snprintf(folder, sizeof(folder), "%s/state", test_folder());
    app_opts.state_dir = folder;
    if (app_start(&app_opts, &site->app, &reason))
        fail_msg("the app did not start: %s", reason.text);
    opts.app = site->app;
    opts.listen = "127.0.0.1:0";
    if (http_start(&opts, &site->http, &reason))
        fail_msg("the server did not start: %s", reason.text);
    site->url = http_url(site->http);
    site->catalog = &site->app->catalog;
    sc__arena_init(&site->arena, 16 * 1024 * 1024);
}

/* For a Redis that always answers, however busy the machine is. */
static inline void site_start_empty(struct site *site, const struct http_opts *given)
{
    site_start_with(site, given, 10000);
}

static inline void site_start(struct site *site, const struct http_opts *given)
{
    site_start_empty(site, given);
    site_fill(site);
}

static inline void site_stop(struct site *site)
{
    test_answer_release(&site->answer);
    http_stop(site->http);
    app_stop(site->app, 0, NULL);
    sc__arena_release(&site->arena);
}

/* A GET; its status. */
static inline int site_get(struct site *site, const char *path)
{
    test_http(site->url, "GET", path, NULL, NULL, &site->answer);
    return site->answer.status;
}

/* A request that writes, as a page of ours would make it; its status. `json` may be NULL. */
static inline int site_write(struct site *site, const char *method, const char *path,
                             const char *json)
{
    test_http(site->url, method, path,
              "Content-Type: application/json\r\nSec-Fetch-Site: same-origin\r\n", json,
              &site->answer);
    return site->answer.status;
}

static inline int site_post(struct site *site, const char *path, const char *json)
{
    return site_write(site, "POST", path, json);
}

/* The last answer's body; free with json_decref. */
static inline json_t *site_json(struct site *site)
{
    json_t *value = NULL;
    sc_reason reason = {""};

    if (sc__json_parse((sc_slice){site->answer.body, site->answer.len}, &value, &reason))
        fail_msg("not JSON (%s): %s", reason.text, site->answer.body);
    return value;
}

static inline bool site_says(const struct site *site, const char *text)
{
    return strstr(site->answer.body, text) != NULL;
}

static inline void site_expect_problem(struct site *site, int status)
{
    AUTO_JSON *problem = NULL;

    if (site->answer.status != status)
        fail_msg("got %d, expected %d: %s", site->answer.status, status, site->answer.body);
    assert_string_equal(test_header(&site->answer, "Content-Type"), "application/problem+json");
    problem = site_json(site);
    assert_int_equal(sc__json_int(problem, "status", 0), status);
    assert_true(sc__json_text(problem, "title").len > 0);
    assert_true(sc__json_text(problem, "detail").len > 0);
    assert_true(sc__json_text(problem, "instance").len > 0);
}

#endif
