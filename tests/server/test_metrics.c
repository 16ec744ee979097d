/* server/route_metrics.c, traffic.c, prometheus.c. */
#include "base/clock.h"
#include "server/prometheus.h"
#include "site.h"

TEST(labels_are_escaped_and_numbers_plain)
{
    AUTO_STR out = STR_MAX(4096);

    prometheus_sample(&out, "x", "queue", SC_S("a\"b\\c\nd"), "state", "waiting", 3);
    prometheus_value(&out, "y", "gauge", "A thing", 0.5);

    assert_slice(sc__str_slice(&out), "x{queue=\"a\\\"b\\\\c\\nd\",state=\"waiting\"} 3\n"
                                      "# HELP y A thing\n# TYPE y gauge\ny 0.500000\n");
}

/* Every sample has its family before it, and every line is a comment or "name{…} number". */
static void check_text(const char *text)
{
    char family[128] = "", name[128], *copy = strdup(text), *save = NULL;

    assert_int_equal(text[strlen(text) - 1], '\n');
    for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char *end, *number = strrchr(line, ' ');

        if (sscanf(line, "# TYPE %127s", family) == 1 || line[0] == '#')
            continue;
        assert_int_equal(sscanf(line, "%127[a-z0-9_]", name), 1);
        if (strncmp(name, family, strlen(family)))
            fail_msg("%s stands under %s", name, family);
        assert_non_null(number);
        (void)strtod(number + 1, &end);
        assert_int_equal(*end, '\0');
    }
    free(copy);
}

/* As a worker of someone else leaves it. */
static void set_total(struct site *site, const char *metrics_key, const char *count)
{
    const sc_slice argv[] = {SC_S("HSET"), sc_slice_of(metrics_key), SC_S("count"),
                             sc_slice_of(count)};
    sc_reply *reply;

    assert_ok(sc_client_call(site->app->client, argv, 4, &reply));
    sc_reply_free(reply);
}

TEST(jobs_are_counted_whoever_ran_them)
{
    struct site site;

    site_start_empty(&site, NULL);
    set_total(&site, "bull:email:metrics:completed", "41");
    set_total(&site, "bull:other:meta", "0");
    set_total(&site, "bull:other:metrics:failed", "7");

    assert_int_equal(site_get(&site, "/metrics"), 200);

    assert_true(site_says(&site, "bullmq_job_completed_total{queue=\"email\"} 41\n"));
    assert_true(site_says(&site, "bullmq_job_failed_total{queue=\"email\"} 0\n"));
    assert_true(site_says(&site, "bullmq_job_failed_total{queue=\"other\"} 7\n"));
    site_stop(&site);
}

TEST(the_figures_are_prometheus_text_with_bullmqs_names)
{
    static const char *const wanted[] = {
        "bullmq_job_count{queue=\"email\",state=\"waiting\"} 0\n",
        "bullmq_job_count{queue=\"email\",state=\"waiting-children\"} 0\n",
        "# TYPE bullmq_job_completed_total counter\n",
        "# TYPE bullmq_job_failed_total counter\n",
        "storychain_queue_paused{queue=\"export\"} 0\n",
        "storychain_cache_hits_total 1\n",
        "storychain_cache_loads_total",
        "storychain_cache_near_hits_total ",
        "storychain_cache_near_bytes ",
        "storychain_cache_lease_waits_total 0\n",
        "# TYPE storychain_cache_load_duration_seconds histogram\n",
        "storychain_cache_load_duration_seconds_bucket{le=\"10\"} ",
        "storychain_cache_load_duration_seconds_count 1\n",
        "storychain_redis_connected 1\n",
        "storychain_redis_reconnects_total 0\n",
        "process_resident_memory_bytes ",
        "storychain_http_requests_total{method=\"GET\",route=\"/api/stories\",status=\"200\"} 2\n",
        "storychain_http_requests_total{method=\"any\",route=\"none\",status=\"404\"} 1\n",
        "storychain_http_request_duration_seconds_bucket{le=\"+Inf\"} 3\n",
        "storychain_build_info{version=\"" SC_VERSION "\"} 1\n",
    };
    struct site site;

    site_start_empty(&site, NULL);
    site_get(&site, "/api/stories");
    site_get(&site, "/api/stories");
    site_get(&site, "/nowhere");

    assert_int_equal(site_get(&site, "/metrics"), 200);

    assert_string_equal(test_header(&site.answer, "Content-Type"),
                        "text/plain; version=0.0.4; charset=utf-8");
    check_text(site.answer.body);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
        if (!site_says(&site, wanted[i]))
            fail_msg("missing: %s\n%s", wanted[i], site.answer.body);
    site_stop(&site);
}

/* A command of words that are separated by one blank each. */
static void redis(struct site *site, const char *command)
{
    sc_slice argv[12];
    size_t count = 0;
    sc_reply *reply;

    for (const char *at = command; *at; count++) {
        argv[count] = (sc_slice){at, strcspn(at, " ")};
        at += argv[count].len;
        at += *at == ' ';
    }
    assert_ok(sc_client_call(site->app->client, argv, count, &reply));
    sc_reply_free(reply);
}

TEST(schedules_that_are_late_are_shown_and_those_that_have_ended_are_not)
{
    static const char *const commands[] = {
        "HSET bull:email:repeat:ended name n every 1000 limit 2 ic 2",
        "ZADD bull:email:repeat 1000 ended",
        "HSET bull:email:repeat:dated name n every 1000 endDate 1500 ic 2",
        "ZADD bull:email:repeat 1000 dated",
        "HSET bull:email:repeat:past name n pattern @hourly endDate 1500000 ic 2",
        "ZADD bull:email:repeat 1000 past",
        "HSET bull:email:repeat:paused name n every 1000 ic 2 sc:rev 1 sc:paused 1",
        "ZADD bull:email:repeat 1000 paused",
        "HSET bull:email:repeat:over name n every 1000 ic 2 sc:rev 1 sc:over 1",
        "ZADD bull:email:repeat 1000 over",
    };
    char late[128];
    struct site site;

    site_start_empty(&site, NULL);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        redis(&site, commands[i]);
    assert_int_equal(site_get(&site, "/metrics"), 200);
    assert_true(site_says(&site, "storychain_schedule_overdue_seconds{queue=\"email\"} 0\n"));

    snprintf(late, sizeof(late), "ZADD bull:email:repeat %lld late",
             (long long)sc__wall_ms() - 100000000);
    redis(&site, late);
    redis(&site, "HSET bull:email:repeat:late name n every 1000 ic 2");
    assert_int_equal(site_get(&site, "/metrics"), 200);

    assert_true(site_says(&site, "storychain_schedule_overdue_seconds{queue=\"email\"} 1000"));
    assert_false(site_says(&site, "storychain_schedule_overdue_seconds{queue=\"email\"} 1000\n"));
    site_stop(&site);
}
