/* /metrics: Prometheus' text. The names of queues' figures are BullMQ's own, so that dashboards made
 * for it carry over. */
#include <storychain/inspect.h>

#include "app/app.h"
#include "app/queues.h"
#include "base/clock.h"
#include "conns.h"
#include "handlers.h"
#include "overdue.h"
#include "process.h"
#include "prometheus.h"
#include "queue_index.h"
#include "request.h"
#include "traffic.h"

/* A queue's figures as they were read once, to be written family by family. */
struct queue_figures {
    sc_slice name;
    sc_queue_counts counts;
    int64_t oldest_ms;         /* how long the next waiting job has waited */
    int64_t overdue_ms;        /* the schedule that is most late */
    int64_t completed, failed; /* by all workers that count */
    bool has_worker;
    sc_worker_stats worker;
};

/* A queue that is stuck shows here even when nothing in it moves any more. */
static int64_t oldest_wait(sc_queue *queue)
{
    sc_job_list *list;
    int64_t since = 0, now = sc__wall_ms();

    if (sc_queue_get_jobs(queue, SC_JOB_WAITING, 0, 0, true, &list))
        return 0;
    if (list->count)
        since = list->jobs[0]->timestamp_ms + list->jobs[0]->delay_ms;
    sc_job_list_free(list);
    return since && since < now ? now - since : 0;
}

static int64_t counted(sc_queue *queue, sc_job_state kind)
{
    sc_metrics *metrics;
    int64_t count;

    if (sc_queue_get_metrics(queue, kind, 0, 0, &metrics, NULL))
        return 0;
    count = metrics->count;
    sc_free(metrics);
    return count;
}

static size_t read_queues(struct request *request, const struct queue_list *list,
                          struct queue_figures *figures)
{
    struct app *app = request->shared->app;
    enum queue_id id;
    size_t n = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct queue_figures *f = &figures[n];

        /* A server that doesn't answer is not asked again for each queue. */
        if (sc_queue_get_counts(list->items[i], &f->counts))
            break;
        if (f->counts.by_state[SC_JOB_WAITING])
            f->oldest_ms = oldest_wait(list->items[i]);
        f->overdue_ms = schedules_overdue_ms(list->items[i]);
        f->completed = counted(list->items[i], SC_JOB_COMPLETED);
        f->failed = counted(list->items[i], SC_JOB_FAILED);
        f->name = sc_queue_name(list->items[i]);
        f->has_worker =
            queue_id_of(f->name, &id) && queues_worker_stats(app->queues, id, &f->worker);
        n++;
    }
    return n;
}

static void write_counts(sc__str *out, const struct queue_figures *figures, size_t count)
{
    prometheus_family(out, "bullmq_job_count", "gauge", "Number of jobs in the queue by state");
    for (size_t i = 0; i < count; i++)
        for (int state = 0; state < SC_JOB_UNKNOWN; state++)
            prometheus_sample(out, "bullmq_job_count", "queue", figures[i].name, "state",
                              sc_job_state_name((sc_job_state)state),
                              (double)figures[i].counts.by_state[state]);
    prometheus_family(out, "storychain_queue_paused", "gauge", "1 while the queue is paused");
    for (size_t i = 0; i < count; i++)
        prometheus_sample(out, "storychain_queue_paused", "queue", figures[i].name, NULL, NULL,
                          figures[i].counts.paused);
}

static void write_totals(sc__str *out, const struct queue_figures *figures, size_t count)
{
    prometheus_family(out, "bullmq_job_completed_total", "counter",
                      "Total number of completed jobs");
    for (size_t i = 0; i < count; i++)
        prometheus_sample(out, "bullmq_job_completed_total", "queue", figures[i].name, NULL, NULL,
                          (double)figures[i].completed);
    prometheus_family(out, "bullmq_job_failed_total", "counter", "Total number of failed jobs");
    for (size_t i = 0; i < count; i++)
        prometheus_sample(out, "bullmq_job_failed_total", "queue", figures[i].name, NULL, NULL,
                          (double)figures[i].failed);
}

static void write_ages(sc__str *out, const struct queue_figures *figures, size_t count)
{
    prometheus_family(out, "storychain_queue_oldest_waiting_seconds", "gauge",
                      "How long the job that is next has waited");
    for (size_t i = 0; i < count; i++)
        prometheus_sample(out, "storychain_queue_oldest_waiting_seconds", "queue", figures[i].name,
                          NULL, NULL, (double)figures[i].oldest_ms / 1000);
    prometheus_family(
        out, "storychain_schedule_overdue_seconds", "gauge",
        "How late the schedule is that is most late; paused and ended ones don't count");
    for (size_t i = 0; i < count; i++)
        prometheus_sample(out, "storychain_schedule_overdue_seconds", "queue", figures[i].name,
                          NULL, NULL, (double)figures[i].overdue_ms / 1000);
}

static uint64_t completed(const sc_worker_stats *s)
{
    return s->completed;
}
static uint64_t failed(const sc_worker_stats *s)
{
    return s->failed;
}
static uint64_t retried(const sc_worker_stats *s)
{
    return s->retried;
}
static uint64_t stalled(const sc_worker_stats *s)
{
    return s->stalled;
}
static uint64_t locks_lost(const sc_worker_stats *s)
{
    return s->locks_lost;
}
static uint64_t expired(const sc_worker_stats *s)
{
    return s->expired;
}
static uint64_t timed_out(const sc_worker_stats *s)
{
    return s->timed_out;
}
static uint64_t cancelled(const sc_worker_stats *s)
{
    return s->cancelled;
}
static uint64_t late(const sc_worker_stats *s)
{
    return (uint64_t)s->late;
}
static uint64_t running(const sc_worker_stats *s)
{
    return (uint64_t)s->running;
}

static const struct {
    const char *name, *type, *help;
    uint64_t (*value)(const sc_worker_stats *);
} worker_families[] = {
    {"storychain_worker_completed_total", "counter", "Jobs that this process completed", completed},
    {"storychain_worker_failed_total", "counter", "Jobs that failed for good in this process",
     failed},
    {"storychain_worker_retried_total", "counter", "Failed tries with attempts left", retried},
    {"storychain_worker_stalled_total", "counter", "Stalled jobs put back", stalled},
    {"storychain_worker_locks_lost_total", "counter", "Locks lost while a job ran", locks_lost},
    {"storychain_worker_expired_total", "counter", "Jobs that came too late to be run", expired},
    {"storychain_worker_timed_out_total", "counter", "Tries past their hard timeout", timed_out},
    {"storychain_worker_cancelled_total", "counter", "Jobs that were cancelled while they ran",
     cancelled},
    {"storychain_worker_late", "gauge", "Processors past their hard timeout that go on", late},
    {"storychain_worker_running", "gauge", "Jobs that run at this moment", running},
};

static void write_workers(sc__str *out, const struct queue_figures *figures, size_t count)
{
    for (size_t f = 0; f < sizeof(worker_families) / sizeof(*worker_families); f++) {
        prometheus_family(out, worker_families[f].name, worker_families[f].type,
                          worker_families[f].help);
        for (size_t i = 0; i < count; i++)
            if (figures[i].has_worker)
                prometheus_sample(out, worker_families[f].name, "queue", figures[i].name, NULL,
                                  NULL, (double)worker_families[f].value(&figures[i].worker));
    }
}

/* Without Redis nothing is known about queues, and the rest is all the more needed. */
static sc_err write_queues(struct request *request, sc__str *out)
{
    struct queue_list list = {NULL, 0};
    struct queue_figures *figures;
    size_t count;
    sc_err err;

    if (!sc_client_is_connected(request->shared->app->client))
        return SC_OK;
    err = queue_index_list(request->shared->queues, &request->arena, &list);
    if (err)
        return err;
    figures = sc__arena_zalloc(&request->arena, (list.count + 1) * sizeof(*figures));
    if (!figures)
        return SC_ENOMEM;
    count = read_queues(request, &list, figures);
    write_counts(out, figures, count);
    write_totals(out, figures, count);
    write_ages(out, figures, count);
    write_workers(out, figures, count);
    return SC_OK;
}

static const struct {
    const char *name, *type, *help;
    size_t at;
} cache_families[] = {
#define AT(member) offsetof(sc_cache_stats, member)
    {"hits_total", "counter", "Values given from Redis", AT(hits)},
    {"near_hits_total", "counter", "Values given from the process's own memory", AT(near_hits)},
    {"misses_total", "counter", "Lookups that found nothing", AT(misses)},
    {"stale_total", "counter", "Values given after their time", AT(stale)},
    {"negative_total", "counter", "Answers that there is no such thing", AT(none)},
    {"shared_total", "counter", "Callers that shared the load of another", AT(shared)},
    {"lease_waits_total", "counter", "Callers that waited for a load of another process",
     AT(lease_waits)},
    {"loads_total", "counter", "Values loaded", AT(loads)},
    {"load_errors_total", "counter", "Loads that failed", AT(load_errors)},
    {"renewals_total", "counter", "Loads behind that stored a newer value", AT(renewals)},
    {"sets_total", "counter", "Values stored", AT(sets)},
    {"deletes_total", "counter", "Keys removed", AT(deletes)},
    {"invalidations_total", "counter", "Changes of keys that the server told of",
     AT(invalidations)},
    {"errors_total", "counter", "Times that the cache's server could not be used", AT(errors)},
    {"near_evicted_total", "counter", "Values that left the process's memory for want of room",
     AT(near_evicted)},
    {"near_expired_total", "counter", "Values that left the process's memory after their time",
     AT(near_expired)},
    {"near_entries", "gauge", "Values in the process's memory", AT(near_entries)},
    {"near_bytes", "gauge", "Memory of these values", AT(near_bytes)},
#undef AT
};

static void write_load_times(const sc_cache_stats *s, sc__str *out)
{
    double bounds_s[SC_CACHE_LOAD_BUCKETS - 1];

    for (size_t i = 0; i + 1 < SC_CACHE_LOAD_BUCKETS; i++)
        bounds_s[i] = (double)sc_cache_load_bound_ms(i) / 1000;
    prometheus_histogram(out, "storychain_cache_load_duration_seconds", "How long loads took",
                         bounds_s, s->load_buckets, SC_CACHE_LOAD_BUCKETS - 1,
                         (double)s->load_us / 1e6);
}

static void write_cache(sc_cache *cache, sc__str *out)
{
    sc_cache_stats s;
    char name[64];

    sc_cache_stats_get(cache, &s);
    for (size_t i = 0; i < sizeof(cache_families) / sizeof(*cache_families); i++) {
        uint64_t value;

        memcpy(&value, (const char *)&s + cache_families[i].at, sizeof(value));
        snprintf(name, sizeof(name), "storychain_cache_%s", cache_families[i].name);
        prometheus_value(out, name, cache_families[i].type, cache_families[i].help, (double)value);
    }
    write_load_times(&s, out);
}

static void write_client(const sc_client *client, sc__str *out)
{
    sc_client_stats s;

    sc_client_stats_get(client, &s);
    prometheus_value(out, "storychain_redis_connected", "gauge", "1 while Redis is connected",
                     sc_client_is_connected(client));
    prometheus_value(out, "storychain_redis_commands_total", "counter", "Commands sent to Redis",
                     (double)s.commands);
    prometheus_value(out, "storychain_redis_timeouts_total", "counter",
                     "Commands whose deadline passed", (double)s.timeouts);
    prometheus_value(out, "storychain_redis_reconnects_total", "counter",
                     "Connections made after one was lost", (double)s.reconnects);
    prometheus_value(out, "storychain_redis_sent_bytes_total", "counter", "Bytes sent to Redis",
                     (double)s.bytes_out);
    prometheus_value(out, "storychain_redis_received_bytes_total", "counter",
                     "Bytes received from Redis", (double)s.bytes_in);
}

static void write_process(struct request *request, sc__str *out)
{
    struct process_info process;

    process_look(&process);
    prometheus_family(out, "storychain_build_info", "gauge", "The version that runs");
    prometheus_sample(out, "storychain_build_info", "version", sc_slice_of(sc_version()), NULL,
                      NULL, 1);
    prometheus_value(out, "process_resident_memory_bytes", "gauge", "Resident memory",
                     (double)process.resident_bytes);
    prometheus_value(out, "process_cpu_seconds_total", "counter", "Processor time used",
                     process.cpu_s);
    prometheus_value(out, "process_open_fds", "gauge", "Open files", (double)process.open_files);
    prometheus_value(out, "process_start_time_seconds", "gauge", "When the process started",
                     (double)process.started_ms / 1000);
    prometheus_value(out, "storychain_http_connections", "gauge", "Open connections",
                     (double)conns_count(request->shared->conns));
    prometheus_value(out, "storychain_http_slow_connections_total", "counter",
                     "Connections ended because the client was too slow",
                     (double)conns_slow(request->shared->conns));
}

sc_err route_metrics(struct request *request, sc_reason *ret_reason)
{
    sc__str out = STR_MAX(ANSWER_MAX);
    sc_err err = write_queues(request, &out);

    (void)ret_reason;
    write_cache(request->shared->app->cache, &out);
    write_client(request->shared->app->client, &out);
    write_process(request, &out);
    traffic_write(request->shared->traffic, &out);
    if (!err)
        return answer_text(request, 200, "text/plain; version=0.0.4; charset=utf-8", &out);
    sc__str_release(&out);
    return err;
}
