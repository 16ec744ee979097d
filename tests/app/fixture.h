/* A whole StoryChain for a test: its own Redis, database and mail folder. */
#ifndef TESTS_APP_FIXTURE_H
#define TESTS_APP_FIXTURE_H

#include <dirent.h>

#include "app/app.h"
#include "app/queues.h"
#include "app/services/notifications.h"
#include "base/arena.h"
#include "support/server.h"
#include "support/test.h"

struct fixture {
    struct test_server redis;
    struct app *app;
    char state[96];
    sc__arena arena;
};

/* `opts`: what differs from the usual. */
__attribute__((unused)) static void fixture_start(struct fixture *f, const struct app_opts *more)
{
    struct app_opts opts = more ? *more : (struct app_opts){.run_processors = true};
    sc_reason reason = {""};

    test_server_start(&f->redis);
    snprintf(f->state, sizeof(f->state), "%s/state", test_folder());
    opts.state_dir = f->state;
    opts.cache_timeout_ms = 10000; /* enough for a busy machine */
    opts.redis_url = f->redis.url;
    opts.site_url = "https://storychain.example";
    opts.mail_from = "StoryChain <hello@storychain.example>";
    if (app_start(&opts, &f->app, &reason))
        fail_msg("the app does not start: %s", reason.text);
    sc__arena_init(&f->arena, 4 * 1024 * 1024);
}

__attribute__((unused)) static void fixture_stop(struct fixture *f)
{
    app_stop(f->app, 5000, NULL);
    sc__arena_release(&f->arena);
}

__attribute__((unused)) static json_t *json_of(const char *text)
{
    json_t *value = NULL;

    assert_ok(sc__json_parse(sc_slice_of(text), &value, NULL));
    return value;
}

/* Adds a job as another program would: unchecked. */
__attribute__((unused)) static char *add_raw(struct fixture *f, enum queue_id id, const char *name,
                                             const char *data)
{
    const sc_job_spec spec = {sc_slice_of(name), sc_slice_of(data), NULL};
    char *job_id = NULL;

    assert_ok(sc_queue_add(queues_get(f->app->queues, id), &spec, &job_id, NULL));
    return job_id;
}

__attribute__((unused)) static sc_job_state state_of(struct fixture *f, enum queue_id id,
                                                     const char *job_id)
{
    sc_job_state state;

    assert_ok(sc_queue_get_state(queues_get(f->app->queues, id), sc_slice_of(job_id), &state));
    return state;
}

/* The job once it is completed or failed; free with sc_job_free. */
__attribute__((unused)) static sc_job *await_end(struct fixture *f, enum queue_id id,
                                                 const char *job_id)
{
    sc_job *job = NULL;

    wait_until(state_of(f, id, job_id) == SC_JOB_COMPLETED ||
               state_of(f, id, job_id) == SC_JOB_FAILED);
    assert_ok(sc_queue_get_job(queues_get(f->app->queues, id), sc_slice_of(job_id), &job));
    return job;
}

/* Adds a raw job and asserts what becomes of it: its result as JSON text; with a NULL result, that it failed for
 * good at the first try with a reason that holds `reason`. */
__attribute__((unused)) static void assert_job(struct fixture *f, enum queue_id id,
                                               const char *name, const char *data,
                                               const char *result, const char *reason)
{
    char *job_id = add_raw(f, id, name, data);
    sc_job *job = await_end(f, id, job_id);

    if (result) {
        if (job->failed_reason.len)
            fail_msg("%s failed: %s", name, job->failed_reason.ptr);
        assert_slice(job->return_value, result);
    } else {
        assert_int_equal(state_of(f, id, job_id), SC_JOB_FAILED);
        assert_int_equal(job->attempts_made, 1);
        if (!strstr(job->failed_reason.ptr, reason))
            fail_msg("\"%s\" does not say \"%s\"", job->failed_reason.ptr, reason);
    }
    sc_job_free(job);
    sc_free(job_id);
}

__attribute__((unused)) static struct user add_user(struct fixture *f, const char *clerk_id,
                                                    const char *email)
{
    struct user user = {
        .clerk_id = sc_slice_of(clerk_id), .name = SC_S("Ada"), .email = sc_slice_of(email)};

    assert_ok(store_user_put(f->app->store, &user, &f->arena, NULL, NULL));
    return user;
}

__attribute__((unused)) static int count_mails(const struct fixture *f)
{
    char path[128];
    int count = 0;
    DIR *folder;

    snprintf(path, sizeof(path), "%s/mail/new", f->state);
    folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

/* The text of the only mail; static buffer. */
__attribute__((unused)) static const char *only_mail(const struct fixture *f)
{
    static char text[64 * 1024];
    char path[512];
    DIR *folder;

    text[0] = '\0';
    snprintf(path, sizeof(path), "%s/mail/new", f->state);
    folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));) {
        FILE *in;

        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof(path), "%s/mail/new/%s", f->state, entry->d_name);
        in = fopen(path, "r");
        assert_non_null(in);
        text[fread(text, 1, sizeof(text) - 1, in)] = '\0';
        fclose(in);
    }
    closedir(folder);
    return text;
}

#endif
