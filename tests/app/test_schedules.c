/* app/schedules.c, app/jobs/: the six schedules, and each of their jobs run for real */
#include "app/schedules.h"

#include "app/jobs/jobs.h"
#include "app/services/trending.h"
#include "base/clock.h"
#include "fixture.h"

static const struct app_opts with_schedules = {.run_schedules = true};

static sc_queue *queue_of(struct fixture *f)
{
    return queues_get(f->app->queues, QUEUE_SCHEDULED);
}

static size_t count_schedules(struct fixture *f)
{
    sc_scheduler_list *list;
    size_t count;

    assert_ok(sc_scheduler_list_get(queue_of(f), 0, -1, &list));
    count = list->count;
    sc_scheduler_list_free(list);
    return count;
}

static void assert_schedule(struct fixture *f, const char *name, const char *cron, const char *data)
{
    sc_scheduler_list *list;
    bool found = false;

    assert_ok(sc_scheduler_list_get(queue_of(f), 0, -1, &list));
    for (size_t i = 0; i < list->count; i++) {
        const sc_scheduler_info *info = &list->items[i];

        if (!sc_slice_eq(info->id, sc_slice_of(name)))
            continue;
        found = true;
        assert_slice(info->pattern, cron);
        assert_slice(info->data, data);
        assert_true(info->next_ms > sc__wall_ms() - 1000);
    }
    assert_true(found);
    sc_scheduler_list_free(list);
}

TEST(six_schedules_are_registered_once_however_often_it_starts)
{
    struct fixture f;
    struct schedules *again;

    fixture_start(&f, &with_schedules);
    assert_ok(schedules_initialize(f.app->queues, &again, NULL));
    schedules_destroy(again);

    assert_int_equal(count_schedules(&f), 6);
    assert_schedule(&f, "cleanup-old-autosaves", "0 3 * * *",
                    "{\"type\":\"autosave\",\"daysOld\":30}");
    assert_schedule(&f, "cleanup-expired-sessions", "0 4 * * *", "{\"type\":\"sessions\"}");
    assert_schedule(&f, "aggregate-daily-stats", "0 0 * * *", "{\"type\":\"daily\"}");
    assert_schedule(&f, "cleanup-old-notifications", "0 5 * * 0",
                    "{\"type\":\"notifications\",\"daysOld\":90}");
    assert_schedule(&f, "refresh-trending-stories", "*/30 * * * *", "");
    assert_schedule(&f, "health-check", "*/5 * * * *", "");
    assert_string_equal(test_redis(&f.redis, "ZCARD bull:scheduled-jobs:delayed"), "0");
    fixture_stop(&f);
}

TEST(schedules_are_staggered_within_their_minute_and_never_overlap)
{
    sc_scheduler_list *list;
    struct fixture f;
    int64_t seconds[8];

    fixture_start(&f, &with_schedules);
    assert_ok(sc_scheduler_list_get(queue_of(&f), 0, -1, &list));

    for (size_t i = 0; i < list->count; i++) {
        const sc_scheduler_info *info = &list->items[i];

        assert_true(info->overlap != SC_OVERLAP_ALLOW);
        assert_int_equal(info->nominal_ms % 60000, 0);
        assert_in_range(info->next_ms - info->nominal_ms, 0, 59999);
        seconds[i] = info->next_ms % 60000;
        for (size_t j = 0; j < i; j++)
            assert_true(seconds[i] != seconds[j]);
    }
    sc_scheduler_list_free(list);
    fixture_stop(&f);
}

/* Makes the schedule's next run due, a time ago. */
static void make_due(struct fixture *f, const char *name, int64_t due_ms)
{
    char command[256];

    snprintf(command, sizeof(command), "HSET bull:scheduled-jobs:repeat:%s sc:nominal %lld", name,
             (long long)due_ms);
    test_redis(&f->redis, command);
    snprintf(command, sizeof(command), "ZADD bull:scheduled-jobs:repeat %lld %s", (long long)due_ms,
             name);
    test_redis(&f->redis, command);
}

/* How many runs of it (NULL: of all) went well. One that did not is tried again: when Redis stood still, say. */
static size_t runs_of(struct fixture *f, const char *name)
{
    struct job_runs list = {NULL, 0};
    sc__arena arena;
    size_t count = 0;

    sc__arena_init(&arena, 1024 * 1024);
    assert_ok(store_job_run_list(f->app->store, sc_slice_of(name), 100, &arena, &list, NULL));
    for (size_t i = 0; i < list.count; i++)
        count += list.items[i].ok;
    sc__arena_release(&arena);
    return count;
}

/* Is due again if nobody came for so long that it has been missed. */
static bool has_run(struct fixture *f, const struct scheduled_job *job)
{
    char command[128];

    if (runs_of(f, job->name) >= 1)
        return true;
    snprintf(command, sizeof(command), "ZSCORE bull:scheduled-jobs:repeat %s", job->name);
    if (job->catchup == SC_CATCHUP_NONE &&
        atoll(test_redis(&f->redis, command)) > sc__wall_ms() + 1000 && runs_of(f, job->name) < 1)
        make_due(f, job->name, sc__wall_ms());
    return false;
}

TEST(each_schedule_runs_when_it_is_due_and_its_result_is_kept)
{
    int64_t day = 86400000, midnight;
    struct fixture f;

    fixture_start(&f, &with_schedules);
    midnight = sc__wall_ms() / day * day;
    for (const struct scheduled_job *job = scheduled_jobs; job->name; job++)
        make_due(&f, job->name, job->catchup == SC_CATCHUP_NONE ? sc__wall_ms() : midnight - day);

    for (const struct scheduled_job *job = scheduled_jobs; job->name; job++)
        wait_until(has_run(&f, job));
    wait_until(runs_of(&f, "aggregate-daily-stats") == 2); /* of each day that was missed */
    fixture_stop(&f);
}

TEST(a_schedule_can_be_changed_by_a_named_pattern_and_removed)
{
    struct fixture f;
    AUTO_JSON *data = json_of("{\"type\":\"sessions\"}");
    sc_reason reason;

    fixture_start(&f, &with_schedules);
    assert_ok(schedules_upsert(f.app->schedules, SC_S("health-check"), SC_S("EVERY_MONDAY"), data,
                               NULL, NULL));
    assert_schedule(&f, "health-check", "0 9 * * 1", "{\"type\":\"sessions\"}");

    assert_ok(schedules_remove(f.app->schedules, SC_S("health-check"), NULL));
    assert_int_equal(count_schedules(&f), 5);
    assert_err(schedules_remove(f.app->schedules, SC_S("health-check"), &reason), SC_ENOTFOUND);
    assert_err(schedules_upsert(f.app->schedules, SC_S("make-coffee"), SC_S("EVERY_HOUR"), NULL,
                                NULL, &reason),
               SC_ENOTFOUND);
    assert_non_null(strstr(reason.text, "make-coffee"));
    assert_err(schedules_upsert(f.app->schedules, SC_S("health-check"), SC_S("every day"), NULL,
                                NULL, &reason),
               SC_ESYNTAX);
    fixture_stop(&f);
}

/* The newest line of the job's log. */
static struct job_run last_run(struct fixture *f, const char *name)
{
    struct job_runs runs;

    assert_ok(store_job_run_list(f->app->store, sc_slice_of(name), 1, &f->arena, &runs, NULL));
    assert_int_equal(runs.count, 1);
    return runs.items[0];
}

TEST(old_autosaves_and_expired_sessions_are_removed_and_the_run_is_logged)
{
    struct fixture f;
    int64_t now = sc__wall_ms(), day = 86400000;
    struct story story = {.slug = SC_S("s"), .title = SC_S("S")};
    struct user user;

    fixture_start(&f, &with_schedules);
    user = add_user(&f, "clerk_ada", "");
    story.author_id = user.id;
    assert_ok(store_story_insert(f.app->store, &story, &f.arena, NULL));
    for (int i = 0; i < 3; i++) {
        char name[] = "chapter-0";
        struct autosave autosave = {user.id,   story.id,  {name, 9},
                                    SC_S("T"), SC_S("x"), now - (29 + i) * day};
        struct session session = {{name, 9}, user.id, now - 90 * day, now + (i - 1) * day};

        name[8] = (char)('0' + i);
        assert_ok(store_autosave_put(f.app->store, &autosave, NULL));
        assert_ok(store_session_put(f.app->store, &session, NULL));
    }

    /* What was 30 days old, or expired, when the test began is past its time when the job runs. */
    assert_job(&f, QUEUE_SCHEDULED, "cleanup-old-autosaves",
               "{\"type\":\"autosave\",\"daysOld\":30}", "{\"deletedCount\":2}", NULL);
    assert_job(&f, QUEUE_SCHEDULED, "cleanup-expired-sessions", "{\"type\":\"sessions\"}",
               "{\"deletedCount\":2}", NULL);
    assert_job(&f, QUEUE_SCHEDULED, "cleanup-old-notifications",
               "{\"type\":\"notifications\",\"daysOld\":90}", "{\"deletedCount\":0}", NULL);

    assert_true(last_run(&f, "cleanup-old-autosaves").ok);
    assert_slice(last_run(&f, "cleanup-old-autosaves").result, "{\"deletedCount\":2}");
    assert_true(last_run(&f, "cleanup-old-autosaves").finished_ms >= now);
    fixture_stop(&f);
}

TEST(a_cleanup_without_an_age_deletes_nothing)
{
    struct fixture f;

    fixture_start(&f, &with_schedules);
    assert_job(&f, QUEUE_SCHEDULED, "cleanup-old-autosaves", "{\"type\":\"autosave\"}", NULL,
               "\"daysOld\"");
    assert_job(&f, QUEUE_SCHEDULED, "cleanup-old-autosaves", "{\"daysOld\":30}", NULL, "\"type\"");
    assert_false(last_run(&f, "cleanup-old-autosaves").ok);
    assert_job(&f, QUEUE_SCHEDULED, "make-coffee", "{}", NULL, "make-coffee");
    fixture_stop(&f);
}

TEST(daily_figures_are_aggregated)
{
    struct fixture f;
    struct event event = {.name = SC_S("story.viewed"), .at_ms = sc__wall_ms() - 86400000};
    struct day_stats stats;

    fixture_start(&f, &with_schedules);
    assert_ok(store_events_insert(f.app->store, &event, 1, NULL, NULL));
    assert_job(&f, QUEUE_SCHEDULED, "aggregate-daily-stats", "{\"type\":\"daily\"}",
               "{\"days\":2,\"figures\":1}", NULL);

    assert_ok(store_day_list(f.app->store, event.at_ms, event.at_ms, &f.arena, &stats, NULL));
    assert_int_equal(stats.count, 1);
    fixture_stop(&f);
}

TEST(the_trending_list_is_put_into_the_cache)
{
    struct fixture f;
    struct user user;
    struct story story = {.slug = SC_S("hot"), .title = SC_S("Hot"), .status = PUBLISHED};
    sc_cache_value list;

    fixture_start(&f, &with_schedules);
    user = add_user(&f, "clerk_ada", "");
    story.author_id = user.id;
    assert_ok(store_story_insert(f.app->store, &story, &f.arena, NULL));
    assert_ok(store_follower_add(f.app->store, story.id, user.id, NULL, NULL));
    assert_job(&f, QUEUE_SCHEDULED, "refresh-trending-stories", "{}", "{\"stories\":1}", NULL);

    assert_ok(trending_list_json(&f.app->catalog, &list, NULL));
    assert_int_equal(list.source, SC_CACHE_HIT);
    assert_non_null(strstr(list.bytes.ptr, "\"slug\":\"hot\""));
    sc_cache_value_release(&list);
    fixture_stop(&f);
}

static void assert_health(struct fixture *f, const char *part)
{
    char *id = add_raw(f, QUEUE_SCHEDULED, "health-check", "{}");
    sc_job *job = await_end(f, QUEUE_SCHEDULED, id);

    if (!strstr(job->return_value.ptr, part))
        fail_msg("%s does not say %s", job->return_value.ptr, part);
    sc_job_free(job);
    sc_free(id);
}

TEST(the_health_check_raises_an_alert_for_new_failures_only)
{
    struct fixture f;
    struct app_opts both = {.run_schedules = true, .run_processors = true};

    fixture_start(&f, &both);
    assert_health(&f, "\"healthy\":true");

    assert_job(&f, QUEUE_EMAIL, "send-email", "{}", NULL, "\"to\"");

    assert_health(&f, "queue email: 1 job failed");
    assert_health(&f, "\"healthy\":true");
    fixture_stop(&f);
}

/* A job that fails, of which the last one alone is kept. */
static void fail_a_mail(struct fixture *f)
{
    const sc_job_opts opts = {.keep_failed = {.kind = SC_KEEP_SOME, .count = 1, .age_s = -1}};
    const sc_job_spec spec = {SC_S("send-email"), SC_S("{}"), &opts};
    char *id;

    assert_ok(sc_queue_add(queues_get(f->app->queues, QUEUE_EMAIL), &spec, &id, NULL));
    sc_job_free(await_end(f, QUEUE_EMAIL, id));
    sc_free(id);
}

TEST(new_failures_are_seen_where_no_more_are_kept)
{
    struct fixture f;
    struct app_opts both = {.run_schedules = true, .run_processors = true};

    fixture_start(&f, &both);
    fail_a_mail(&f);
    assert_health(&f, "queue email: 1 job failed");

    fail_a_mail(&f);

    assert_health(&f, "queue email: 1 job failed");
    assert_health(&f, "\"healthy\":true");
    fixture_stop(&f);
}

TEST(a_run_is_skipped_while_another_has_the_lock)
{
    struct fixture f;

    fixture_start(&f, &with_schedules);
    test_redis(&f.redis, "SET bull:scheduled-jobs:running:health-check other PX 60000");
    assert_job(&f, QUEUE_SCHEDULED, "health-check", "{}",
               "{\"skipped\":\"another run is under way\"}", NULL);
    assert_string_equal(test_redis(&f.redis, "GET bull:scheduled-jobs:running:health-check"),
                        "other");

    test_redis(&f.redis, "DEL bull:scheduled-jobs:running:health-check");
    assert_job(&f, QUEUE_SCHEDULED, "cleanup-expired-sessions", "{\"type\":\"sessions\"}",
               "{\"deletedCount\":0}", NULL);
    assert_string_equal(
        test_redis(&f.redis, "EXISTS bull:scheduled-jobs:running:cleanup-expired-sessions"), "0");
    fixture_stop(&f);
}

static size_t count_completed(struct app *app)
{
    sc_worker_stats stats;

    assert_true(queues_worker_stats(app->queues, QUEUE_SCHEDULED, &stats));
    return stats.completed;
}

TEST(ticks_run_their_job_each_once_over_two_nodes)
{
    struct fixture f;
    struct app_opts opts = with_schedules;
    struct app *other;
    char url[128];

    fixture_start(&f, &with_schedules);
    opts.redis_url = f.redis.url;
    opts.state_dir = f.state;
    snprintf(url, sizeof(url), "sqlite://%s/storychain.db", f.state);
    opts.store_url = url;
    assert_ok(app_start(&opts, &other, NULL));
    assert_ok(schedules_upsert(f.app->schedules, SC_S("cleanup-expired-sessions"),
                               SC_S("* * * * * *"), NULL, NULL, NULL));

    wait_until(runs_of(&f, "cleanup-expired-sessions") >= 3);
    assert_ok(schedules_remove(f.app->schedules, SC_S("cleanup-expired-sessions"), NULL));

    /* The log has one line a tick: a tick that ran twice would show in the workers alone. Other schedules may tick
     * meanwhile. */
    wait_until(count_completed(f.app) + count_completed(other) == runs_of(&f, NULL));
    app_stop(other, 5000, NULL);
    fixture_stop(&f);
}
