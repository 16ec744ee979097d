/* server/route_user.c, route_autosave.c, route_event.c and the writes of route_story.c. */
#include "site.h"

#define STORY "/api/stories/the-lighthouse"
#define BEN "/api/users/user_ben"

static size_t count_items(struct site *site, const char *path, const char *list)
{
    AUTO_JSON *body = NULL;

    assert_int_equal(site_get(site, path), 200);
    body = site_json(site);
    return json_array_size(json_object_get(body, list));
}

TEST(a_user_is_added_once_and_then_changed)
{
    struct site site;
    char location[128];

    site_start(&site, NULL);

    assert_int_equal(site_post(&site, "/api/users",
                               "{\"clerkId\":\"user_eve\",\"name\":\"Eve\","
                               "\"email\":\"eve@example.org\"}"),
                     201);
    snprintf(location, sizeof(location), "%s", test_header(&site.answer, "Location"));
    assert_false(site_says(&site, "example.org"));
    assert_int_equal(site_get(&site, location), 200);
    assert_true(site_says(&site, "\"name\":\"Eve\""));
    assert_int_equal(site_post(&site, "/api/users", "{\"clerkId\":\"user_eve\",\"name\":\"Eva\"}"),
                     200);

    assert_int_equal(site_get(&site, location), 200);
    assert_true(site_says(&site, "\"name\":\"Eva\""));
    site_stop(&site);
}

TEST(a_story_is_begun_as_a_draft_and_published)
{
    struct site site;

    site_start(&site, NULL);

    assert_int_equal(site_post(&site, "/api/stories",
                               "{\"title\":\"The Ferry\",\"author\":\"user_ben\","
                               "\"tags\":[\"sea\"],\"publish\":false}"),
                     201);
    assert_string_equal(test_header(&site.answer, "Location"), "/api/stories/the-ferry");
    assert_true(site_says(&site, "\"tags\":[\"sea\"]"));
    assert_int_equal(site_get(&site, "/api/stories/the-ferry"), 404);
    assert_int_equal(count_items(&site, BEN "/stories", "stories"), 0);
    assert_int_equal(site_post(&site, "/api/stories/the-ferry/publish", "{}"), 200);

    assert_int_equal(site_get(&site, "/api/stories/the-ferry"), 200);
    assert_int_equal(count_items(&site, BEN "/stories", "stories"), 1);
    assert_int_equal(count_items(&site, "/api/stories?list=new", "stories"), 2);
    site_stop(&site);
}

TEST(who_follows_shows_at_once)
{
    struct site site;

    site_start(&site, NULL);
    assert_int_equal(site_get(&site, STORY), 200);
    assert_true(site_says(&site, "\"followers\":1"));

    assert_int_equal(site_write(&site, "DELETE", STORY "/followers/user_ben", NULL), 200);
    assert_true(site_says(&site, "\"followers\":0"));
    assert_int_equal(site_write(&site, "PUT", STORY "/followers/user_ben", NULL), 200);
    assert_true(site_says(&site, "\"followers\":1"));
    assert_int_equal(site_write(&site, "PUT", STORY "/followers/user_ben", NULL), 200);
    assert_true(site_says(&site, "\"followers\":1"));
    site_stop(&site);
}

TEST(a_collaborator_comes_and_goes)
{
    struct site site;

    site_start(&site, NULL);
    assert_int_equal(count_items(&site, STORY "/overview", "collaborators"), 0);

    assert_int_equal(
        site_write(&site, "PUT", STORY "/collaborators/user_ben", "{\"role\":\"editor\"}"), 200);
    assert_true(site_says(&site, "\"role\":\"editor\""));
    assert_int_equal(count_items(&site, BEN "/stories", "stories"), 1);
    assert_int_equal(site_write(&site, "DELETE", STORY "/collaborators/user_ben", NULL), 200);

    assert_int_equal(count_items(&site, STORY "/overview", "collaborators"), 0);
    assert_int_equal(count_items(&site, BEN "/stories", "stories"), 0);
    site_stop(&site);
}

TEST(what_was_read_is_in_the_history)
{
    struct site site;

    site_start(&site, NULL);
    assert_int_equal(count_items(&site, BEN "/history/the-lighthouse", "chapters"), 0);

    assert_int_equal(site_write(&site, "PUT", BEN "/history/the-lighthouse/the-lamp", NULL), 200);

    assert_true(site_says(&site, "the-lamp"));
    assert_int_equal(count_items(&site, BEN "/history/the-lighthouse", "chapters"), 1);
    assert_string_equal(test_header(&site.answer, "X-Cache"), "hit");
    site_stop(&site);
}

TEST(an_autosave_is_kept_replaced_and_forgotten)
{
    static const char path[] = BEN "/autosaves/the-lighthouse/my%20next%20one";
    struct site site;

    site_start(&site, NULL);
    assert_int_equal(site_get(&site, path), 404);

    assert_int_equal(site_write(&site, "PUT", path, "{\"content\":\"It was\"}"), 200);
    assert_int_equal(site_write(&site, "PUT", path, "{\"content\":\"It was day\"}"), 200);
    assert_int_equal(site_get(&site, path), 200);
    assert_true(site_says(&site, "\"chapter\":\"my next one\""));
    assert_true(site_says(&site, "\"content\":\"It was day\""));
    assert_int_equal(site_write(&site, "DELETE", path, NULL), 200);

    assert_int_equal(site_get(&site, path), 404);
    assert_int_equal(site_write(&site, "DELETE", path, NULL), 404);
    site_stop(&site);
}

TEST(an_event_becomes_a_job_of_analytics)
{
    AUTO_JSON *body = NULL;
    struct site site;
    char path[128];

    site_start(&site, NULL);

    assert_int_equal(site_post(&site, "/api/events",
                               "{\"event\":\"story.shared\",\"userId\":\"user_ben\","
                               "\"properties\":{\"by\":\"mail\"}}"),
                     202);

    body = site_json(&site);
    snprintf(path, sizeof(path), "/api/queues/analytics/jobs/%s", sc__json_text(body, "job").ptr);
    assert_int_equal(site_get(&site, path), 200);
    assert_true(site_says(&site, "story.shared"));
    site_stop(&site);
}

TEST(writes_that_are_not_right_are_refused_with_the_reason)
{
    static const struct {
        const char *method, *path, *body;
        int status;
    } cases[] = {
        {"POST", "/api/users", "{}", 422},
        {"POST", "/api/users", "{\"clerkId\":\"x\"}", 422},
        {"POST", "/api/users", "{\"clerkId\":\"x\",\"name\":\"X\",\"email\":\"x\"}", 422},
        {"POST", "/api/users", "{\"clerkId\":\"x\",\"name\":\"a\\nb\"}", 422},
        {"POST", "/api/stories", "{\"title\":\"T\"}", 422},
        {"POST", "/api/stories", "{\"title\":\"T\",\"author\":\"nobody\"}", 422},
        {"POST", "/api/stories", "{\"title\":\"T\",\"author\":\"user_ada\",\"tags\":5}", 422},
        {"POST", "/api/stories", "{\"title\":\"T\",\"author\":\"user_ada\",\"publish\":1}", 422},
        {"POST", "/api/stories",
         "{\"title\":\"T\",\"slug\":\"the-lighthouse\",\"author\":\"user_ada\"}", 409},
        {"POST", "/api/stories/none/publish", "{}", 404},
        {"PUT", "/api/stories/none/followers/user_ben", NULL, 404},
        {"PUT", STORY "/followers/nobody", NULL, 404},
        {"PUT", STORY "/collaborators/user_ben", "{}", 422},
        {"PUT", STORY "/collaborators/user_ben", "{\"role\":\"\"}", 422},
        {"PUT", BEN "/history/the-lighthouse/none", NULL, 404},
        {"GET", BEN "/history/none", NULL, 404},
        {"PUT", BEN "/autosaves/none/x", "{\"content\":\"x\"}", 404},
        {"PUT", BEN "/autosaves/the-lighthouse/x", "{\"content\":5}", 422},
        {"POST", "/api/events", "{}", 422},
        {"POST", "/api/events", "{\"event\":\"x\",\"properties\":[]}", 422},
    };
    struct site site;

    site_start(&site, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        site_write(&site, cases[i].method, cases[i].path, cases[i].body);
        if (site.answer.status != cases[i].status)
            fail_msg("%s %s %s: %d", cases[i].method, cases[i].path,
                     cases[i].body ? cases[i].body : "", site.answer.status);
        site_expect_problem(&site, cases[i].status);
    }
    site_stop(&site);
}
