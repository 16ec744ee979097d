/* app/queues.c, app/processors/: jobs go through a real Redis and real workers */
#include <stdatomic.h>

#include "fixture.h"

#include "app/processors.h"
#include "app/services/users.h"
#include "app/store/store.h"
#include "base/clock.h"
#include "support/smtp.h"

#define WELCOME(to)                                                                                \
    "{\"to\":\"" to "\",\"subject\":\"Hi\",\"template\":\"welcome\",\"context\":{\"name\":"        \
    "\"Ada\"}}"

TEST(a_mail_that_is_queued_arrives_and_the_job_says_so)
{
    struct fixture f;
    AUTO_JSON *context = json_of("{\"name\":\"Ada\"}");
    struct email email = {SC_S("ada@example.org"), SC_S("Welcome!"), SC_S("welcome"), context};
    char *id = NULL;
    sc_job *job;

    fixture_start(&f, NULL);
    assert_ok(queues_send_email(f.app->queues, &email, SC_S(""), &id, NULL));
    job = await_end(&f, QUEUE_EMAIL, id);

    assert_non_null(strstr(job->return_value.ptr, "\"sent\":true"));
    assert_non_null(strstr(job->return_value.ptr, "@storychain.example\""));
    assert_int_equal(count_mails(&f), 1);
    assert_non_null(strstr(only_mail(&f), "To: <ada@example.org>\r\n"));
    assert_non_null(strstr(only_mail(&f), "Subject: Welcome!\r\n"));
    assert_non_null(strstr(only_mail(&f), "Welcome, Ada."));
    assert_string_equal(test_redis(&f.redis, "EXISTS bull:email:limiter"), "1");
    sc_job_free(job);
    sc_free(id);
    fixture_stop(&f);
}

TEST(jobs_carry_the_default_options)
{
    struct fixture f;
    struct app_opts no_workers = {.run_processors = false};
    AUTO_JSON *opts = NULL;
    struct track track = {.event = SC_S("story.viewed")};
    char *id = NULL;
    sc_job *job;

    fixture_start(&f, &no_workers);
    assert_ok(queues_track_analytics(f.app->queues, &track, &id, NULL));
    assert_ok(sc_queue_get_job(queues_get(f.app->queues, QUEUE_ANALYTICS), sc_slice_of(id), &job));

    assert_ok(sc__json_parse(job->opts, &opts, NULL));
    assert_int_equal(sc__json_int(opts, "attempts", 0), 3);
    assert_slice(sc__json_text(json_object_get(opts, "backoff"), "type"), "exponential");
    assert_int_equal(sc__json_int(json_object_get(opts, "backoff"), "delay", 0), 1000);
    assert_int_equal(sc__json_int(json_object_get(opts, "removeOnComplete"), "count", 0), 100);
    assert_int_equal(sc__json_int(json_object_get(opts, "removeOnComplete"), "age", 0), 86400);
    assert_int_equal(sc__json_int(json_object_get(opts, "removeOnFail"), "count", 0), 500);
    assert_int_equal(sc__json_int(json_object_get(opts, "removeOnFail"), "age", 0), 604800);
    sc_job_free(job);
    sc_free(id);
    fixture_stop(&f);
}

TEST(a_bad_payload_is_refused_when_added)
{
    struct fixture f;
    AUTO_JSON *bad = json_of("{\"to\":\"ada\"}");
    AUTO_JSON *good = json_of(WELCOME("ada@example.org"));
    const struct queue_job jobs[] = {{SC_S("send-email"), good, NULL},
                                     {SC_S("send-email"), bad, NULL}};
    sc_id_list *ids = NULL;
    sc_reason reason;

    fixture_start(&f, NULL);
    assert_err(queues_add(f.app->queues, QUEUE_EMAIL, &jobs[1], NULL, &reason), SC_EPAYLOAD);
    assert_non_null(strstr(reason.text, "\"to\""));
    assert_err(queues_add_bulk(f.app->queues, QUEUE_EMAIL, jobs, 2, &ids, &reason), SC_EPAYLOAD);
    assert_non_null(strstr(reason.text, "job 2 of 2"));

    assert_string_equal(test_redis(&f.redis, "EXISTS bull:email:1"), "0");
    assert_ok(queues_add_bulk(f.app->queues, QUEUE_EMAIL, jobs, 1, &ids, &reason));
    assert_int_equal(ids->count, 1);
    sc_id_list_free(ids);
    fixture_stop(&f);
}

TEST(a_bad_payload_of_another_program_fails_for_good_when_taken)
{
    struct fixture f;

    fixture_start(&f, NULL);
    assert_job(&f, QUEUE_EMAIL, "send-email", "{\"to\":\"ada\"}", NULL, "\"to\"");
    assert_job(&f, QUEUE_EMAIL, "send-email", "", NULL, "\"to\" is missing");
    assert_job(&f, QUEUE_EMAIL, "send-email",
               "{\"to\":\"a@b.example\",\"subject\":\"x\",\"template\":\"password-reset\","
               "\"context\":{}}",
               NULL, "context.resetUrl");
    assert_job(&f, QUEUE_NOTIFICATION, "x", "{\"userId\":\"u\"}", NULL, "\"type\"");
    assert_job(&f, QUEUE_NOTIFICATION, "x",
               "{\"userId\":\"nobody\",\"type\":\"t\",\"title\":\"T\",\"message\":\"M\"}", NULL,
               "nobody");
    assert_job(&f, QUEUE_CLEANUP, "x", "{\"type\":\"logs\",\"olderThan\":4102444800000}", NULL,
               "not in the past");
    fixture_stop(&f);
}

TEST(a_payload_that_is_not_json_fails_for_good)
{
    struct fixture f;
    struct app_opts no_workers = {.run_processors = false};
    char *id;
    sc_job *job;

    fixture_start(&f, &no_workers);
    id = add_raw(&f, QUEUE_EMAIL, "send-email", "{}");
    test_redis(&f.redis, "HSET bull:email:1 data {\"to\":");
    assert_ok(processors_register(f.app, NULL));

    job = await_end(&f, QUEUE_EMAIL, id);
    assert_int_equal(job->attempts_made, 1);
    assert_non_null(strstr(job->failed_reason.ptr, "not JSON"));
    sc_job_free(job);
    sc_free(id);
    fixture_stop(&f);
}

TEST(the_export_queue_refuses_jobs_with_its_reason)
{
    struct fixture f;
    AUTO_JSON *payload = json_of("{\"userId\":\"u\",\"storyId\":\"s\",\"format\":\"epub\"}");
    const struct queue_job job = {SC_S("export"), payload, NULL};
    sc_reason reason;

    fixture_start(&f, NULL);
    assert_err(queues_add(f.app->queues, QUEUE_EXPORT, &job, NULL, &reason), SC_ESTATE);
    assert_non_null(strstr(reason.text, "can't export"));
    assert_job(&f, QUEUE_EXPORT, "export",
               "{\"userId\":\"u\",\"storyId\":\"s\",\"format\":\"epub\"}", NULL, "can't export");
    fixture_stop(&f);
}

TEST(a_mail_server_decides_what_is_tried_again)
{
    struct fixture f;
    struct test_smtp smtp;
    struct app_opts opts = {.run_processors = true};
    char *id, *mail;

    test_smtp_start(&smtp, NULL);
    opts.smtp_url = smtp.url;
    fixture_start(&f, &opts);

    assert_job(&f, QUEUE_EMAIL, "send-email", WELCOME("refused@example.org"), NULL, "550");
    id = add_raw(&f, QUEUE_EMAIL, "send-email", WELCOME("later@example.org"));
    wait_until(state_of(&f, QUEUE_EMAIL, id) == SC_JOB_DELAYED);
    sc_free(id);
    id = add_raw(&f, QUEUE_EMAIL, "send-email", WELCOME("ada@example.org"));
    sc_job_free(await_end(&f, QUEUE_EMAIL, id));
    sc_free(id);

    mail = test_smtp_mail(&smtp, 1);
    assert_non_null(mail);
    assert_non_null(strstr(mail, "X-To: ada@example.org\r\n"));
    free(mail);
    fixture_stop(&f);
}

static int64_t unread(struct fixture *f, sc_slice user_id)
{
    int64_t count;

    assert_ok(notification_count_unread(f->app->notifier, user_id, &count, NULL, NULL, NULL));
    return count;
}

TEST(a_notification_is_stored_once_mailed_once_and_counted)
{
    struct fixture f;
    struct notification n = {.type = SC_S("chapter.published"),
                             .title = SC_S("A new chapter"),
                             .message = SC_S("Chapter 2 is there."),
                             .action_url = SC_S("/stories/x/chapters/2"),
                             .key = SC_S("chapter:2:ada")};
    struct notification again = n;
    struct notifications list;
    struct user user;

    fixture_start(&f, NULL);
    user = add_user(&f, "clerk_ada", "ada@example.org");
    assert_int_equal(unread(&f, user.id), 0);
    n.user_id = again.user_id = user.id;
    assert_ok(notification_create(f.app->notifier, &n, &f.arena, NULL));
    assert_ok(notification_create(f.app->notifier, &again, &f.arena, NULL));
    wait_until(count_mails(&f) == 1);

    assert_slice(again.id, n.id.ptr);
    assert_int_equal(unread(&f, user.id), 1);
    assert_ok(notification_list(f.app->notifier, user.id, true, 10, 0, &f.arena, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_non_null(strstr(only_mail(&f), "https://storychain.example/stories/x/chapters/2"));

    assert_ok(notification_mark_read(f.app->notifier, user.id, n.id, NULL, NULL));
    assert_int_equal(unread(&f, user.id), 0);
    fixture_stop(&f);
}

TEST(a_new_user_with_an_address_is_welcomed_once)
{
    struct user ada = {
        .clerk_id = SC_S("ada"), .name = SC_S("Ada"), .email = SC_S("ada@example.org")};
    struct user ben = {.clerk_id = SC_S("ben"), .name = SC_S("Ben")};
    struct user again = ada;
    struct fixture f;

    fixture_start(&f, NULL);

    assert_ok(user_put(&f.app->catalog, &ben, &f.arena, NULL, NULL));
    assert_ok(user_put(&f.app->catalog, &ada, &f.arena, NULL, NULL));
    assert_ok(user_put(&f.app->catalog, &again, &f.arena, NULL, NULL));

    wait_until(count_mails(&f) == 1);
    assert_non_null(strstr(only_mail(&f), "Subject: Welcome to StoryChain"));
    fixture_stop(&f);
}

TEST(a_notification_job_of_another_program_run_twice_is_one_notification)
{
    struct fixture f;
    struct notifications list;
    struct user user;
    char data[256], *id;
    sc_job *job;

    fixture_start(&f, NULL);
    user = add_user(&f, "clerk_ada", "");
    assert_int_equal(unread(&f, user.id), 0);
    snprintf(data, sizeof(data),
             "{\"userId\":\"%s\",\"type\":\"news\",\"title\":\"T\",\"message\":\"M\","
             "\"metadata\":{\"a\":1}}",
             user.id.ptr);
    id = add_raw(&f, QUEUE_NOTIFICATION, "send-notification", data);
    job = await_end(&f, QUEUE_NOTIFICATION, id);
    assert_non_null(strstr(job->return_value.ptr, "{\"delivered\":true,\"notificationId\":\""));
    sc_job_free(job);
    assert_ok(sc_queue_retry(queues_get(f.app->queues, QUEUE_NOTIFICATION), sc_slice_of(id)));
    job = await_end(&f, QUEUE_NOTIFICATION, id);
    sc_job_free(job);
    sc_free(id);

    assert_ok(notification_list(f.app->notifier, user.id, false, 10, 0, &f.arena, &list, NULL));
    assert_int_equal(list.count, 1);
    assert_slice(list.items[0].metadata, "{\"a\":1}");
    assert_int_equal(unread(&f, user.id), 1);
    assert_int_equal(count_mails(&f), 0);
    fixture_stop(&f);
}

TEST(an_audience_is_told_each_once_but_for_the_author_of_the_news)
{
    enum { FOLLOWERS = 130 };
    struct fixture f;
    struct app_opts no_workers = {.run_processors = false};
    struct notification model = {.type = SC_S("chapter.published"),
                                 .title = SC_S("T"),
                                 .message = SC_S("M"),
                                 .key = SC_S("chapter:1")};
    struct story story = {.slug = SC_S("s"), .title = SC_S("S"), .status = PUBLISHED};
    struct user author;
    int64_t told;

    fixture_start(&f, &no_workers);
    author = add_user(&f, "author", "");
    story.author_id = author.id;
    assert_ok(store_story_insert(f.app->store, &story, &f.arena, NULL));
    for (int i = 0; i < FOLLOWERS; i++) {
        char clerk_id[32];
        struct user user;

        snprintf(clerk_id, sizeof(clerk_id), "follower_%d", i);
        user = add_user(&f, clerk_id, "");
        assert_ok(store_follower_add(f.app->store, story.id, user.id, NULL, NULL));
    }

    assert_ok(
        notification_tell_audience(f.app->notifier, story.id, author.id, &model, &told, NULL));
    assert_int_equal(told, FOLLOWERS);
    assert_ok(
        notification_tell_audience(f.app->notifier, story.id, author.id, &model, &told, NULL));

    assert_string_equal(test_redis(&f.redis, "LLEN bull:notification:wait"), "130");
    assert_int_equal(unread(&f, author.id), 0);
    fixture_stop(&f);
}

TEST(events_are_recorded)
{
    struct fixture f;
    struct day_stats stats;

    fixture_start(&f, NULL);
    assert_job(&f, QUEUE_ANALYTICS, "track-event",
               "{\"event\":\"story.viewed\",\"userId\":\"u1\",\"properties\":{\"a\":1},"
               "\"timestamp\":\"2026-10-30T20:31:06.000Z\"}",
               "{\"recorded\":true}", NULL);

    assert_ok(store_day_aggregate(f.app->store, 1793392266000, NULL, NULL));
    assert_ok(store_day_list(f.app->store, 1793392266000, 1793392266000, &f.arena, &stats, NULL));
    assert_int_equal(stats.count, 1);
    assert_slice(stats.items[0].name, "story.viewed");
    fixture_stop(&f);
}

TEST(a_cleanup_deletes_read_notifications_alone_and_a_dry_run_nothing)
{
    struct fixture f;
    struct notifications list;
    struct user user;

    fixture_start(&f, NULL);
    user = add_user(&f, "clerk_ada", "");
    for (int i = 0; i < 4; i++) {
        struct notification n = {.user_id = user.id,
                                 .type = SC_S("t"),
                                 .title = SC_S("T"),
                                 .message = SC_S("M"),
                                 .created_ms = 1000 + i,
                                 .read_ms = i < 3 ? 5000 : 0};

        assert_ok(store_notification_insert(f.app->store, &n, &f.arena, NULL, NULL));
    }

    assert_job(&f, QUEUE_CLEANUP, "cleanup",
               "{\"type\":\"notifications\",\"olderThan\":\"2026-01-01\",\"dryRun\":true}",
               "{\"deletedCount\":3}", NULL);
    assert_job(&f, QUEUE_CLEANUP, "cleanup",
               "{\"type\":\"notifications\",\"olderThan\":\"2026-01-01\"}", "{\"deletedCount\":3}",
               NULL);
    assert_job(&f, QUEUE_CLEANUP, "cleanup",
               "{\"type\":\"notifications\",\"olderThan\":\"2026-01-01\"}", "{\"deletedCount\":0}",
               NULL);
    assert_ok(notification_list(f.app->notifier, user.id, false, 10, 0, &f.arena, &list, NULL));
    assert_int_equal(list.count, 1);
    fixture_stop(&f);
}

static sc_outcome say(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    (void)job, (void)payload;
    return sc_run_return(run, sc_slice_of(user));
}

TEST(a_processor_that_is_registered_again_replaces_the_one_before)
{
    static char first[] = "\"first\"", second[] = "\"second\"";
    struct fixture f;
    struct app_opts no_workers = {.run_processors = false};
    const char *data = "{\"type\":\"logs\",\"olderThan\":1}";
    sc_worker_stats stats;

    fixture_start(&f, &no_workers);
    assert_false(queues_worker_stats(f.app->queues, QUEUE_CLEANUP, &stats));
    assert_ok(queues_register_processor(f.app->queues, QUEUE_CLEANUP, say, first, NULL));
    assert_job(&f, QUEUE_CLEANUP, "x", data, "\"first\"", NULL);
    assert_ok(queues_register_processor(f.app->queues, QUEUE_CLEANUP, say, second, NULL));
    assert_job(&f, QUEUE_CLEANUP, "x", data, "\"second\"", NULL);
    assert_true(queues_worker_stats(f.app->queues, QUEUE_CLEANUP, &stats));
    assert_int_equal(stats.completed, 1);
    fixture_stop(&f);
}

TEST(a_cleanup_of_many_goes_in_slices_and_gets_all)
{
    enum { COUNT = 1203 };
    struct fixture f;
    struct user user;

    fixture_start(&f, NULL);
    user = add_user(&f, "clerk_ada", "");
    for (int i = 0; i < COUNT; i++) {
        char id[16];
        struct session session = {.user_id = user.id, .created_ms = 1, .expires_ms = 2};

        session.id = (sc_slice){id, (size_t)snprintf(id, sizeof(id), "s%d", i)};
        assert_ok(store_session_put(f.app->store, &session, NULL));
    }

    assert_job(&f, QUEUE_CLEANUP, "cleanup", "{\"type\":\"sessions\",\"olderThan\":1000}",
               "{\"deletedCount\":1203}", NULL);
    fixture_stop(&f);
}

static sc_outcome work_until_told(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    (void)job, (void)payload;
    atomic_store((atomic_bool *)user, true);
    while (!sc_run_is_cancelled(run))
        test_pause_until(test_deadline_ms());
    return sc_run_fail(run, SC_FAILED, "told to stop");
}

TEST(a_job_that_is_not_done_when_the_app_stops_goes_back_to_its_queue)
{
    struct fixture f;
    struct app_opts no_workers = {.run_processors = false};
    atomic_bool runs = false;
    int handed_back = 0;
    char *id;

    fixture_start(&f, &no_workers);
    assert_ok(
        queues_register_processor(f.app->queues, QUEUE_CLEANUP, work_until_told, &runs, NULL));
    id = add_raw(&f, QUEUE_CLEANUP, "x", "{\"type\":\"logs\",\"olderThan\":1}");
    wait_until(runs);
    app_stop(f.app, 0, &handed_back);

    assert_int_equal(handed_back, 1);
    assert_string_equal(test_redis(&f.redis, "LRANGE bull:cleanup:wait 0 -1"), id);
    assert_string_equal(test_redis(&f.redis, "HEXISTS bull:cleanup:1 failedReason"), "0");
    sc_free(id);
    sc__arena_release(&f.arena);
}
