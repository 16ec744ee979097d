#include "queues.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

enum {
    REPLACE_DRAIN_MS = 30000,
    METRICS_MINUTES = 14 * 24 * 60, /* what BullMQ's dashboards show */
    STACK_BYTES = 512 * 1024 /* of a processor's thread: libcurl, SQLite and TLS stand on it */
};

static const struct queue_rule rules[QUEUE_COUNT] = {
    [QUEUE_EMAIL] = {"email", 10, {100, 60 * 1000}, payload_email, NULL},
    [QUEUE_NOTIFICATION] = {"notification", 20, {0, 0}, payload_notification, NULL},
    [QUEUE_ANALYTICS] = {"analytics", 50, {0, 0}, payload_analytics, NULL},
    [QUEUE_CLEANUP] = {"cleanup", 1, {0, 0}, payload_cleanup, NULL},
    [QUEUE_EXPORT] = {"export",
                      3,
                      {0, 0},
                      payload_export,
                      "this version of StoryChain can't export stories: the queue \"export\" takes "
                      "no jobs"},
    /* Two, so that a long cleanup does not hold up the health check. */
    [QUEUE_SCHEDULED] = {"scheduled-jobs", 2, {0, 0}, payload_scheduled, NULL},
};

static const sc_job_opts default_opts = {
    .attempts = 3,
    .backoff = {.kind = SC_BACKOFF_EXPONENTIAL, .delay_ms = 1000},
    .keep_completed = {.kind = SC_KEEP_SOME, .count = 100, .age_s = 24 * 3600},
    .keep_failed = {.kind = SC_KEEP_SOME, .count = 500, .age_s = 7 * 24 * 3600},
};

/* A registered processor and its worker. */
struct handler {
    const struct queue_rule *rule;
    queue_processor processor;
    void *user;
    sc_worker *worker;
};

struct queues {
    sc_client *client;
    char *prefix;
    sc_queue *queues[QUEUE_COUNT];
    pthread_mutex_t changing; /* held while a processor is replaced, which may take long */
    pthread_mutex_t lock;     /* of `handlers` */
    struct handler *handlers[QUEUE_COUNT];
};

const struct queue_rule *queue_rule_of(enum queue_id id)
{
    return &rules[id];
}

bool queue_id_of(sc_slice name, enum queue_id *ret_id)
{
    for (int i = 0; i < QUEUE_COUNT; i++) {
        if (!sc_slice_eq(name, sc_slice_of(rules[i].name)))
            continue;
        *ret_id = (enum queue_id)i;
        return true;
    }
    return false;
}

sc_job_opts queue_opts_with_id(sc_slice job_id)
{
    sc_job_opts opts = default_opts;

    opts.id = job_id;
    return opts;
}

/* ---- Opening and closing ---- */

sc_err queues_initialize(sc_client *client, const char *prefix, struct queues **ret_queues,
                         sc_reason *ret_reason)
{
    struct queues *queues = sc__calloc(1, sizeof(*queues));
    sc_err err = SC_OK;

    if (!queues)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    pthread_mutex_init(&queues->changing, NULL);
    pthread_mutex_init(&queues->lock, NULL);
    queues->client = client;
    queues->prefix = sc__strdup(prefix);
    if (!queues->prefix)
        err = sc__because(ret_reason, SC_ENOMEM, "out of memory");
    for (int i = 0; !err && i < QUEUE_COUNT; i++) {
        const sc_queue_opts opts = {.prefix = sc_slice_of(prefix), .default_opts = &default_opts};

        err =
            sc_queue_new(client, sc_slice_of(rules[i].name), &opts, &queues->queues[i], ret_reason);
    }
    if (err) {
        queues_destroy(queues, 0, NULL);
        return err;
    }
    *ret_queues = queues;
    return SC_OK;
}

struct closing {
    struct handler *handler;
    int64_t drain_ms;
    int handed_back;
};

static void *close_handler(void *user)
{
    struct closing *closing = user;
    const struct queue_rule *rule = closing->handler->rule;
    sc_err err =
        sc_worker_close(closing->handler->worker, closing->drain_ms, &closing->handed_back);

    if (err)
        sc__log(SC_LOG_WARN, "queue %s: closing its worker: %s", rule->name, sc_err_text(err));
    sc_worker_free(closing->handler->worker);
    sc_free(closing->handler);
    return NULL;
}

/* Side by side: each may need the whole drain time. */
static int close_all(struct handler **handlers, int64_t drain_ms)
{
    struct closing closing[QUEUE_COUNT] = {{NULL, 0, 0}};
    pthread_t threads[QUEUE_COUNT];
    bool started[QUEUE_COUNT] = {false};
    int handed_back = 0;

    for (int i = 0; i < QUEUE_COUNT; i++) {
        closing[i] = (struct closing){handlers[i], drain_ms, 0};
        if (!handlers[i])
            continue;
        started[i] = pthread_create(&threads[i], NULL, close_handler, &closing[i]) == 0;
        if (!started[i])
            close_handler(&closing[i]);
    }
    for (int i = 0; i < QUEUE_COUNT; i++) {
        if (started[i])
            pthread_join(threads[i], NULL);
        handed_back += closing[i].handed_back;
    }
    return handed_back;
}

void queues_destroy(struct queues *queues, int64_t drain_ms, int *ret_handed_back)
{
    int handed_back;

    if (!queues)
        return;
    handed_back = close_all(queues->handlers, drain_ms);
    if (ret_handed_back)
        *ret_handed_back = handed_back;
    for (int i = 0; i < QUEUE_COUNT; i++)
        sc_queue_free(queues->queues[i]);
    pthread_mutex_destroy(&queues->lock);
    pthread_mutex_destroy(&queues->changing);
    sc_free(queues->prefix);
    sc_free(queues);
}

const char *queues_prefix(const struct queues *queues)
{
    return queues->prefix;
}

sc_queue *queues_get(const struct queues *queues, enum queue_id id)
{
    return queues->queues[id];
}

/* ---- Adding ---- */

/* Checks a job and appends its payload as text. */
static sc_err write_job(enum queue_id id, const struct queue_job *job, sc__str *out,
                        sc_reason *ret_reason)
{
    sc_err err;

    if (rules[id].refuses)
        return sc__because(ret_reason, SC_ESTATE, "%s", rules[id].refuses);
    err = payload_check(rules[id].fields, job->payload, ret_reason);
    if (err)
        return err;
    sc__json_write(out, job->payload);
    if (out->err == SC_ETOOBIG)
        return sc__because(ret_reason, SC_EPAYLOAD, "the payload is over %d KiB long",
                           PAYLOAD_MAX / 1024);
    return out->err ? sc__because(ret_reason, out->err, "out of memory") : SC_OK;
}

sc_err queues_add(struct queues *queues, enum queue_id id, const struct queue_job *job,
                  char **ret_id, sc_reason *ret_reason)
{
    AUTO_STR data = STR_MAX(PAYLOAD_MAX);
    sc_job_spec spec = {.name = job->name, .opts = job->opts};
    sc_err err = write_job(id, job, &data, ret_reason);

    if (err)
        return err;
    spec.data = sc__str_slice(&data);
    return sc_queue_add(queues->queues[id], &spec, ret_id, ret_reason);
}

static sc_err write_specs(enum queue_id id, const struct queue_job *jobs, size_t count,
                          sc__str *data, sc_job_spec *specs, sc_reason *ret_reason)
{
    sc_reason why = {""};

    for (size_t i = 0; i < count; i++) {
        sc_err err;

        data[i] = STR_MAX(PAYLOAD_MAX);
        err = write_job(id, &jobs[i], &data[i], &why);
        if (err)
            return sc__because(ret_reason, err, "job %zu of %zu: %s", i + 1, count, why.text);
        specs[i] = (sc_job_spec){jobs[i].name, sc__str_slice(&data[i]), jobs[i].opts};
    }
    return SC_OK;
}

sc_err queues_add_bulk(struct queues *queues, enum queue_id id, const struct queue_job *jobs,
                       size_t count, sc_id_list **ret_ids, sc_reason *ret_reason)
{
    sc__str *data = sc__calloc(count ? count : 1, sizeof(*data));
    sc_job_spec *specs = sc__calloc(count ? count : 1, sizeof(*specs));
    sc_err err = SC_ENOMEM;

    if (data && specs)
        err = write_specs(id, jobs, count, data, specs, ret_reason);
    else
        sc__because(ret_reason, SC_ENOMEM, "out of memory");
    if (!err)
        err = sc_queue_add_bulk(queues->queues[id], specs, count, ret_ids, NULL, ret_reason);
    for (size_t i = 0; data && i < count; i++)
        sc__str_release(&data[i]);
    sc_free(data);
    sc_free(specs);
    return err;
}

/* ---- Processors ---- */

static sc_outcome run_job(sc_run *run, const sc_job *job, void *user)
{
    const struct handler *handler = user;
    AUTO_JSON *payload = NULL;
    sc_reason why = {""};

    if (job->data.len > PAYLOAD_MAX)
        return sc_run_fail(run, SC_GIVE_UP, "the payload has %zu bytes; %d are allowed",
                           job->data.len, PAYLOAD_MAX);
    if (sc__json_parse(job->data, &payload, &why))
        return sc_run_fail(run, SC_GIVE_UP, "the payload is not JSON: %s", why.text);
    if (payload_check(handler->rule->fields, payload, &why))
        return sc_run_fail(run, SC_GIVE_UP, "%s", why.text);
    return handler->processor(run, job, payload, handler->user);
}

static void on_job(void *user, const sc_job *job, sc_outcome outcome, bool final, const char *error,
                   int64_t took_ms)
{
    const struct handler *handler = user;

    if (outcome == SC_DONE)
        sc__log(SC_LOG_DEBUG, "queue %s: job %s (%s) done in %lld ms", handler->rule->name,
                job->id.ptr, job->name.ptr, (long long)took_ms);
    else if (error)
        sc__log(final ? SC_LOG_WARN : SC_LOG_INFO, "queue %s: job %s (%s) %s: %s",
                handler->rule->name, job->id.ptr, job->name.ptr,
                final ? "failed for good" : "failed and will be tried again", error);
}

static sc_err start_handler(struct queues *queues, struct handler *handler, sc_reason *ret_reason)
{
    char name[64];
    const sc_worker_opts opts = {
        .prefix = sc_slice_of(queues->prefix),
        .name = {name, (size_t)snprintf(name, sizeof(name), "storychain-%d", (int)getpid())},
        .concurrency = handler->rule->concurrency,
        .limit = handler->rule->limit,
        .keep_completed = default_opts.keep_completed,
        .keep_failed = default_opts.keep_failed,
        .metrics_points = METRICS_MINUTES,
        .stack_bytes = STACK_BYTES,
        .skip_guardian = handler->rule == &rules[QUEUE_SCHEDULED], /* schedules.c has one */
        .on_job = on_job,
        .on_job_user = handler,
    };
    sc_err err = sc_worker_new(queues->client, sc_slice_of(handler->rule->name), &opts,
                               &handler->worker, ret_reason);

    if (err)
        return err;
    err = sc_worker_handle(handler->worker, SC_S(""), run_job, handler);
    if (!err)
        err = sc_worker_start(handler->worker);
    if (err)
        sc__because(ret_reason, err, "the worker of queue %s: %s", handler->rule->name,
                    sc_err_text(err));
    return err;
}

static struct handler *swap_handler(struct queues *queues, enum queue_id id, struct handler *next)
{
    struct handler *before;

    pthread_mutex_lock(&queues->lock);
    before = queues->handlers[id];
    queues->handlers[id] = next;
    pthread_mutex_unlock(&queues->lock);
    return before;
}

static void close_one(struct handler *handler)
{
    struct closing closing = {handler, REPLACE_DRAIN_MS, 0};

    if (handler)
        close_handler(&closing);
}

sc_err queues_register_processor(struct queues *queues, enum queue_id id, queue_processor processor,
                                 void *user, sc_reason *ret_reason)
{
    struct handler *handler = sc__calloc(1, sizeof(*handler));
    sc_err err;

    if (!handler)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    *handler = (struct handler){&rules[id], processor, user, NULL};
    pthread_mutex_lock(&queues->changing);
    close_one(swap_handler(queues, id, NULL));
    err = start_handler(queues, handler, ret_reason);
    if (!err) {
        swap_handler(queues, id, handler);
    } else {
        sc_worker_free(handler->worker);
        sc_free(handler);
    }
    pthread_mutex_unlock(&queues->changing);
    return err;
}

bool queues_worker_stats(struct queues *queues, enum queue_id id, sc_worker_stats *ret_stats)
{
    bool found;

    pthread_mutex_lock(&queues->lock);
    found = queues->handlers[id] != NULL;
    if (found)
        sc_worker_stats_get(queues->handlers[id]->worker, ret_stats);
    pthread_mutex_unlock(&queues->lock);
    return found;
}
