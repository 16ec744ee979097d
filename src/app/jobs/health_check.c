/* health-check: looks at Redis, the database, the disk and the queues. What is wrong becomes an alert: a
 * warning in the log, and a sentence in the run's stored result. The run itself is fine then. */
#include "jobs.h"

#include <errno.h>
#include <stdio.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

#include "app/job_shapes.h"

enum {
    SLOW_MS = 500,        /* an answer of Redis */
    FREE_MIN_PERCENT = 5, /* of the disk */
    FREE_MIN_MB = 256,    /* likewise; either is enough for an alert */
    WAITING_MAX = 10000,  /* jobs in one queue */
    LAST_RUNS = 10,       /* among which the last one that looked is searched */
    FAILED_PAGE = 20,     /* failed jobs looked at in one go */
    FAILED_MAX = 500      /* more failures than these are not counted */
};

struct check {
    struct app *app;
    json_t *alerts; /* of sentences */
    json_t *result;
    int64_t since_ms; /* when the last one began; 0: there was none */
};

static void alert(struct check *check, const char *fmt, ...) SC_PRINTF(2, 3);

static void alert(struct check *check, const char *fmt, ...)
{
    char text[320];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    sc__log(SC_LOG_WARN, "health-check: %s", text);
    json_array_append_new(check->alerts, text_shape(sc_slice_of(text)));
}

static void check_redis(struct check *check)
{
    const sc_slice ping[] = {SC_S("PING")};
    sc_reply *reply = NULL;
    int64_t began = sc__mono_ms(), took;
    sc_err err = sc_client_call(check->app->client, ping, 1, &reply);

    took = sc__mono_ms() - began;
    sc_reply_free(reply);
    if (err)
        alert(check, "Redis does not answer: %s", sc_err_text(err));
    else if (took > SLOW_MS)
        alert(check, "Redis took %lld ms to answer", (long long)took);
    json_object_set_new(check->result, "redisMs", json_integer(took));
}

static void check_store(struct check *check)
{
    sc_reason why = {""};

    if (store_check(check->app->store, &why))
        alert(check, "the database: %s", why.text);
}

static void check_disk(struct check *check)
{
    struct statvfs disk;
    unsigned long long free_mb;
    int percent;

    if (statvfs(check->app->opts.state_dir, &disk)) {
        alert(check, "the state folder: %s", strerror(errno));
        return;
    }
    free_mb = (unsigned long long)disk.f_bavail * disk.f_frsize / (1024 * 1024);
    percent = disk.f_blocks ? (int)(disk.f_bavail * 100 / disk.f_blocks) : 0;
    if (percent < FREE_MIN_PERCENT || free_mb < FREE_MIN_MB)
        alert(check, "the disk of the state folder has %llu MB left, %d %%", free_mb, percent);
    json_object_set_new(check->result, "diskFreeMb", json_integer((json_int_t)free_mb));
}

/* Those of a page, newest first, that failed since the last check. */
static int64_t count_new(const struct check *check, const sc_job_list *page)
{
    int64_t count = 0;

    while (count < (int64_t)page->count && page->jobs[count]->finished_ms > check->since_ms)
        count++;
    return count;
}

/* Failures are counted one by one: where as many are kept as may be, their number doesn't grow. */
static sc_err check_failed(struct check *check, const char *name, sc_queue *queue, int64_t kept)
{
    int64_t failed = 0, fresh = FAILED_PAGE;

    while (fresh == FAILED_PAGE && failed < FAILED_MAX) {
        sc_job_list *page;
        sc_err err =
            sc_queue_get_jobs(queue, SC_JOB_FAILED, failed, failed + FAILED_PAGE - 1, false, &page);

        if (err)
            return err;
        fresh = count_new(check, page);
        failed += fresh;
        sc_job_list_free(page);
    }
    if (failed)
        alert(check, "queue %s: %lld job%s failed for good since the last check, kept: %lld", name,
              (long long)failed, failed == 1 ? "" : "s", (long long)kept);
    return SC_OK;
}

static void check_queues(struct check *check)
{
    json_t *failed = json_object();

    for (int i = 0; i < QUEUE_COUNT; i++) {
        const char *name = queue_rule_of((enum queue_id)i)->name;
        sc_queue *queue = queues_get(check->app->queues, (enum queue_id)i);
        sc_queue_counts counts;
        sc_err err = sc_queue_get_counts(queue, &counts);

        if (!err)
            err = check_failed(check, name, queue, counts.by_state[SC_JOB_FAILED]);
        if (err) {
            alert(check, "queue %s can't be read: %s", name, sc_err_text(err));
            continue;
        }
        json_object_set_new(failed, name, json_integer(counts.by_state[SC_JOB_FAILED]));
        if (counts.by_state[SC_JOB_WAITING] > WAITING_MAX)
            alert(check, "queue %s: %lld jobs are waiting", name,
                  (long long)counts.by_state[SC_JOB_WAITING]);
    }
    json_object_set_new(check->result, "failed", failed);
}

/* Whether it looked, or was skipped because another run was under way. */
static bool has_looked(const struct job_run *run)
{
    AUTO_JSON *result = NULL;

    return run->ok && !sc__json_parse(run->result, &result, NULL) &&
           json_object_get(result, "healthy");
}

/* When the last run that looked began. */
static int64_t find_since(struct store *store)
{
    struct job_runs runs = {NULL, 0};
    int64_t since_ms = 0;
    sc__arena arena;

    sc__arena_init(&arena, 1024 * 1024);
    if (!store_job_run_list(store, SC_S("health-check"), LAST_RUNS, &arena, &runs, NULL))
        for (size_t i = 0; !since_ms && i < runs.count; i++)
            if (has_looked(&runs.items[i]))
                since_ms = runs.items[i].started_ms;
    sc__arena_release(&arena);
    return since_ms;
}

sc_err job_health_check(struct job_run_now *now, const json_t *data, json_t *result,
                        sc_reason *ret_reason)
{
    struct app *app = job_app(now);
    struct check check = {app, json_array(), result, find_since(app->store)};

    (void)data;
    if (!check.alerts)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    check_redis(&check);
    check_store(&check);
    check_disk(&check);
    check_queues(&check);
    json_object_set_new(result, "healthy", json_boolean(json_array_size(check.alerts) == 0));
    json_object_set_new(result, "alerts", check.alerts);
    return SC_OK;
}
