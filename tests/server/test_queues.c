/* server/route_queue.c, route_schedule.c, route_health.c: what operators see and steer. */
#include <storychain/cron.h>

#include <signal.h>
#include <time.h>

#include <storychain/queue.h>
#include <storychain/worker.h>

#include "app/queues.h"
#include "site.h"

/* A job in a queue that StoryChain knows nothing of. */
static void add_job(struct site *site, const char *queue_name, const sc_job_spec *spec,
                    char ret_id[64])
{
    sc_queue *queue;
    char *id;

    assert_ok(sc_queue_new(site->app->client, sc_slice_of(queue_name), NULL, &queue, NULL));
    assert_ok(sc_queue_add(queue, spec, &id, NULL));
    snprintf(ret_id, 64, "%s", id);
    sc_free(id);
    sc_queue_free(queue);
}

static const json_t *find_queue(const json_t *body, const char *name)
{
    const json_t *row;
    size_t i;

    json_array_foreach(json_object_get(body, "queues"), i, row)
    {
        if (sc_slice_eq(sc__json_text(row, "name"), sc_slice_of(name)))
            return row;
    }
    return NULL;
}

TEST(queues_of_ours_and_of_others_are_listed_with_their_counts)
{
    struct site site;
    AUTO_JSON *body = NULL;
    const json_t *row;
    char id[64];

    site_start_empty(&site, NULL);
    add_job(&site, "printing", &(sc_job_spec){.name = SC_S("print")}, id);
    add_job(&site, "printing",
            &(sc_job_spec){.name = SC_S("print"), .opts = &(sc_job_opts){.delay_ms = 60000}}, id);

    assert_int_equal(site_get(&site, "/api/queues"), 200);

    body = site_json(&site);
    for (int q = 0; q < QUEUE_COUNT; q++)
        assert_non_null(find_queue(body, queue_rule_of((enum queue_id)q)->name));
    row = find_queue(body, "printing");
    assert_non_null(row);
    assert_int_equal(sc__json_int(json_object_get(row, "counts"), "waiting", -1), 1);
    assert_int_equal(sc__json_int(json_object_get(row, "counts"), "delayed", -1), 1);
    assert_false(sc__json_bool(row, "paused", true));
    site_stop(&site);
}

static bool is_listed(struct site *site, const char *name)
{
    AUTO_JSON *body = NULL;

    assert_int_equal(site_get(site, "/api/queues"), 200);
    body = site_json(site);
    return find_queue(body, name) != NULL;
}

TEST(a_new_queue_is_found_soon_though_the_server_stood_still_at_the_look_before)
{
    const sc_slice pause[] = {SC_S("CLIENT"), SC_S("PAUSE"), SC_S("2000")};
    struct site site;
    sc_reply *reply;
    char id[64];

    site_start_empty(&site, NULL);
    assert_ok(sc_client_call(site.app->client, pause, 3, &reply));
    sc_reply_free(reply);
    assert_false(is_listed(&site, "printing"));

    add_job(&site, "printing", &(sc_job_spec){.name = SC_S("print")}, id);

    wait_until(is_listed(&site, "printing"));
    site_stop(&site);
}

static bool is_paused(struct site *site)
{
    AUTO_JSON *body = NULL;

    assert_int_equal(site_get(site, "/api/queues/email"), 200);
    body = site_json(site);
    return sc__json_bool(body, "paused", false);
}

TEST(a_queue_is_paused_and_resumed_but_not_by_another_sites_page)
{
    static const char *const refused[] = {"", "Sec-Fetch-Site: cross-site\r\n",
                                          "Sec-Fetch-Site: same-site\r\n",
                                          "Origin: http://evil.example\r\n", "Origin: null\r\n"};
    struct site site;

    site_start_empty(&site, NULL);

    for (size_t i = 0; i < sizeof(refused) / sizeof(*refused); i++) {
        test_http(site.url, "POST", "/api/queues/email/pause", refused[i], "", &site.answer);
        site_expect_problem(&site, 403);
    }
    assert_false(is_paused(&site));
    test_http(site.url, "POST", "/api/queues/email/pause", "Origin: http://localhost\r\n", "",
              &site.answer);
    assert_int_equal(site.answer.status, 200);
    assert_true(is_paused(&site));
    test_http(site.url, "POST", "/api/queues/email/resume", "Sec-Fetch-Site: none\r\n", "",
              &site.answer);
    assert_int_equal(site.answer.status, 200);
    assert_false(is_paused(&site));
    test_http(site.url, "GET", "/api/queues/email/pause", NULL, NULL, &site.answer);
    site_expect_problem(&site, 405);
    site_stop(&site);
}

TEST(jobs_are_listed_by_state_and_shown_with_all_they_have)
{
    struct site site;
    AUTO_JSON *body = NULL;
    char id[64], path[128];

    site_start_empty(&site, NULL);
    add_job(&site, "printing",
            &(sc_job_spec){.name = SC_S("print <b>"),
                           .data = SC_S("{\"pages\":[1,2]}"),
                           .opts = &(sc_job_opts){.delay_ms = 60000, .attempts = 3}},
            id);

    assert_int_equal(site_get(&site, "/api/queues/printing/jobs"), 200);
    assert_true(site_says(&site, "print <b>") && !site_says(&site, "pages"));
    assert_int_equal(site_get(&site, "/api/queues/printing/jobs?state=delayed&limit=100000"), 200);
    assert_true(site_says(&site, "print <b>"));
    assert_int_equal(site_get(&site, "/api/queues/printing/jobs?state=waiting,delayed"), 200);
    assert_true(site_says(&site, "print <b>"));
    assert_int_equal(site_get(&site, "/api/queues/printing/jobs?state=failed"), 200);
    assert_false(site_says(&site, "print <b>"));
    assert_int_equal(site_get(&site, "/api/jobs?limit=1"), 200);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s", id);
    assert_int_equal(site_get(&site, path), 200);

    body = site_json(&site);
    assert_int_equal(json_array_size(json_object_get(json_object_get(body, "data"), "pages")), 2);
    assert_slice(sc__json_text(body, "state"), "delayed");
    assert_true(json_is_array(json_object_get(body, "logs")));
    site_stop(&site);
}

TEST(questions_about_queues_that_make_no_sense_are_refused)
{
    static const struct {
        const char *path;
        int status;
    } cases[] = {
        {"/api/queues/none", 404},
        {"/api/queues/none/jobs", 404},
        {"/api/queues/email/jobs/999999", 404},
        {"/api/queues/email/jobs?state=finished", 400},
        {"/api/queues/email/jobs?state=waiting,,failed", 400},
        {"/api/queues/email/jobs?limit=x", 400},
        {"/api/queues/bad%3Aname", 404},
        {"/api/queues/%7Bx", 404},
    };
    struct site site;

    site_start_empty(&site, NULL);

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        site_get(&site, cases[i].path);
        site_expect_problem(&site, cases[i].status);
    }
    site_post(&site, "/api/queues/none/pause", "");
    site_expect_problem(&site, 404);
    site_post(&site, "/api/queues/email/jobs/999999/retry", "");
    site_expect_problem(&site, 404);
    site_stop(&site);
}

static sc_outcome fail_job(sc_run *run, const sc_job *job, void *user)
{
    (void)job;
    (void)user;
    assert_ok(sc_run_log(run, "looked for paper"));
    return sc_run_fail(run, SC_GIVE_UP, "no paper");
}

static void fail_one(struct site *site, const char *queue)
{
    sc_worker *worker;
    sc_worker_stats stats;

    assert_ok(sc_worker_new(site->app->client, sc_slice_of(queue), NULL, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), fail_job, NULL));
    assert_ok(sc_worker_start(worker));
    wait_until((sc_worker_stats_get(worker, &stats), stats.failed == 1));
    assert_ok(sc_worker_close(worker, 1000, NULL));
    sc_worker_free(worker);
}

TEST(a_failed_job_is_retried_a_delayed_one_promoted_any_removed)
{
    struct site site;
    char id[64], path[128];

    site_start_empty(&site, NULL);
    add_job(&site, "printing", &(sc_job_spec){.name = SC_S("print")}, id);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s/retry", id);
    site_post(&site, path, "");
    site_expect_problem(&site, 409);
    fail_one(&site, "printing");
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s", id);
    assert_int_equal(site_get(&site, path), 200);
    assert_true(site_says(&site, "looked for paper") && site_says(&site, "no paper"));

    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s/retry", id);
    assert_int_equal(site_post(&site, path, ""), 200);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s/promote", id);
    site_post(&site, path, "");
    site_expect_problem(&site, 409);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s/remove", id);
    assert_int_equal(site_post(&site, path, ""), 200);

    site_post(&site, path, "");
    site_expect_problem(&site, 404);
    add_job(&site, "printing",
            &(sc_job_spec){.name = SC_S("print"), .opts = &(sc_job_opts){.delay_ms = 60000}}, id);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s/promote", id);
    assert_int_equal(site_post(&site, path, ""), 200);
    assert_int_equal(site_get(&site, "/api/queues/printing/jobs?state=waiting"), 200);
    assert_true(site_says(&site, "\"print\""));
    site_stop(&site);
}

TEST(a_job_is_cancelled_with_a_reason)
{
    struct site site;
    char id[64], path[128];

    site_start_empty(&site, NULL);
    add_job(&site, "printing", &(sc_job_spec){.name = SC_S("print")}, id);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s/cancel", id);
    site_post(&site, path, "{\"reason\":7}");
    site_expect_problem(&site, 422);
    assert_int_equal(site_post(&site, path, "{\"reason\":\"out of ink\"}"), 200);
    assert_true(site_says(&site, "\"result\":\"cancelled\""));
    site_post(&site, path, "");
    site_expect_problem(&site, 409);
    snprintf(path, sizeof(path), "/api/queues/printing/jobs/%s", id);
    assert_int_equal(site_get(&site, path), 200);
    assert_true(site_says(&site, "cancelled: out of ink"));
    site_post(&site, "/api/queues/printing/jobs/999999/cancel", "");
    site_expect_problem(&site, 404);
    site_stop(&site);
}

TEST(schedules_and_the_servers_facts_are_shown)
{
    struct site site;
    AUTO_JSON *body = NULL;
    char tzdb[SC_TZDB_VERSION_MAX + 1];

    site_start_empty(&site, NULL);

    assert_int_equal(site_get(&site, "/api/schedules"), 200);
    assert_true(site_says(&site, "\"schedules\":["));
    assert_int_equal(site_get(&site, "/api/server"), 200);

    body = site_json(&site);
    assert_slice(sc__json_text(body, "version"), sc_version());
    assert_ok(sc_tzdb_version(tzdb));
    assert_slice(sc__json_text(body, "tzdb"), tzdb);
    assert_true(sc__json_bool(json_object_get(body, "redis"), "connected", false));
    assert_true(sc__json_int(body, "residentBytes", 0) > 0);
    assert_true(llabs(sc__json_int(body, "startedMs", 0) - (int64_t)time(NULL) * 1000) <
                3600 * 1000);
    site_stop(&site);
}

TEST_LIMIT(without_redis_probes_tell_stories_go_on_and_queues_say_why, 60)
{
    struct site site;

    site_start_with(&site, NULL, 0);
    assert_int_equal(site_get(&site, "/readyz"), 200);
    kill((pid_t)sc_embedded_pid(site.app->redis), SIGSTOP);

    wait_until(site_get(&site, "/readyz") == 503);
    assert_true(site_says(&site, "\"redis\":{\"ok\":false,\"reason\":\""));
    assert_true(site_says(&site, "\"store\":{\"ok\":true}"));
    assert_int_equal(site_get(&site, "/healthz"), 200);
    assert_int_equal(site_get(&site, "/api/stories"), 200);
    assert_string_equal(test_header(&site.answer, "X-Cache"), "miss");
    site_get(&site, "/api/queues");
    site_expect_problem(&site, 503);
    assert_non_null(test_header(&site.answer, "Retry-After"));
    assert_int_equal(site_get(&site, "/metrics"), 200);

    kill((pid_t)sc_embedded_pid(site.app->redis), SIGCONT);
    wait_until(site_get(&site, "/readyz") == 200);
    site_stop(&site);
}
