/* app/app.c: the container, with a Redis of its own */
#include "app/app.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/queues.h"
#include "base/json.h"
#include "support/test.h"

static const char *state_dir(void)
{
    static char path[96];

    snprintf(path, sizeof(path), "%s/state", test_folder());
    return path;
}

static struct app *start(const struct app_opts *opts)
{
    struct app *app = NULL;
    sc_reason reason = {""};

    if (app_start(opts, &app, &reason))
        fail_msg("the app does not start: %s", reason.text);
    return app;
}

static bool answers(struct app *app)
{
    const sc_slice ping[] = {SC_S("PING")};
    sc_reply *reply = NULL;
    sc_err err = sc_client_call(app->client, ping, 1, &reply);

    sc_reply_free(reply);
    return err == SC_OK;
}

static char *add_event(struct app *app)
{
    struct track track = {.event = SC_S("story.viewed")};
    char *id = NULL;

    assert_ok(queues_track_analytics(app->queues, &track, &id, NULL));
    return id;
}

TEST(a_fresh_folder_is_all_it_needs_and_its_data_outlive_it)
{
    struct app_opts opts = {.state_dir = state_dir()};
    sc_job *job;
    struct app *app = start(&opts);
    char *id = add_event(app);

    assert_non_null(app->redis);
    app_stop(app, 1000, NULL);
    app = start(&opts);

    assert_ok(sc_queue_get_job(queues_get(app->queues, QUEUE_ANALYTICS), sc_slice_of(id), &job));
    sc_job_free(job);
    sc_free(id);
    app_stop(app, 1000, NULL);
}

TEST(its_own_redis_is_started_again_when_it_dies)
{
    struct app_opts opts = {.state_dir = state_dir(), .run_processors = true};
    struct app *app = start(&opts);
    int64_t pid = sc_embedded_pid(app->redis);
    sc_job_state now = SC_JOB_UNKNOWN;
    char *id;

    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    wait_until(sc_embedded_pid(app->redis) != pid && answers(app));

    id = add_event(app);
    wait_until(sc_queue_get_state(queues_get(app->queues, QUEUE_ANALYTICS), sc_slice_of(id),
                                  &now) == SC_OK &&
               now == SC_JOB_COMPLETED);
    sc_free(id);
    app_stop(app, 1000, NULL);
}

TEST(a_state_folder_in_use_is_refused_with_a_sentence)
{
    struct app_opts opts = {.state_dir = state_dir()};
    struct app *app = start(&opts), *other = NULL;
    sc_reason reason = {""};

    assert_err(app_start(&opts, &other, &reason), SC_EBUSY);
    assert_non_null(strstr(reason.text, "Redis"));
    assert_true(answers(app));
    app_stop(app, 1000, NULL);
}

TEST(a_part_that_cannot_start_takes_the_others_down_and_is_named)
{
    struct app_opts opts = {.state_dir = state_dir()};
    sc_reason reason = {""};
    struct app *app = NULL;
    char path[128];
    FILE *out;

    opts.mail_from = "nobody";
    assert_err(app_start(&opts, &app, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "mail: "));

    opts.mail_from = NULL;
    opts.store_url = "postgres://localhost/x";
    assert_err(app_start(&opts, &app, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "the database: "));

    opts.store_url = NULL;
    opts.redis_url = "http://localhost";
    assert_err(app_start(&opts, &app, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "Redis: "));

    opts.redis_url = NULL;
    snprintf(path, sizeof(path), "%s/file", test_folder());
    out = fopen(path, "w");
    fclose(out);
    opts.state_dir = path;
    assert_true(app_start(&opts, &app, &reason) != SC_OK);
    assert_non_null(strstr(reason.text, path));

    opts.state_dir = state_dir(); /* nothing is left that would be in the way */
    app = start(&opts);
    app_stop(app, 1000, NULL);
}
