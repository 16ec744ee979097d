/* A soak's threads that add jobs, cancel them, wait for their ends, and cache. */
#include <pthread.h>

#include <storychain/cache.h>
#include <storychain/control.h>
#include <storychain/events.h>
#include <storychain/flow.h>
#include <storychain/scheduler.h>

#include "base/clock.h"
#include "soak.h"
#include "test.h"

enum { ADDERS = 3, CACHERS = 2, CACHE_KEYS = 20, BULK = 20, KIDS_MAX = 4, WAIT_MS = 20000 };

struct soak_bustle {
    struct soak *s;
    sc_client *client;
    sc_queue *queues[SOAK_QUEUES];
    sc_cache *cache;
    sc_events *events;
    pthread_t threads[ADDERS + CACHERS];
};

struct adder {
    struct soak_bustle *b;
    uint64_t random;
};

/* A call came back. True when it is to be made again. */
static bool again(struct soak *s, const char *what, sc_err err, int64_t began)
{
    long took = (long)(sc__mono_ms() - began), longest = s->longest_call_ms;

    while (took > longest)
        if (atomic_compare_exchange_weak(&s->longest_call_ms, &longest, took))
            s->longest_call = what;
    if (!err)
        return false;
    if (!soak_is_excused(err))
        soak_wrong(s, "%s: %s", what, sc_err_name(err));
    soak_rest(10);
    return !s->stopping;
}

bool soak_add(struct soak *s, sc_queue *queue, const sc_job_spec *specs, const unsigned *numbers,
              size_t count)
{
    int64_t began;
    sc_err err;

    for (size_t i = 0; i < count; i++)
        s->fates[numbers[i]] = SOAK_TRIED;
    do {
        began = sc__mono_ms();
        err = count == 1 ? sc_queue_add(queue, specs, NULL, NULL)
                         : sc_queue_add_bulk(queue, specs, count, NULL, NULL, NULL);
    } while (again(s, "add", err, began));
    for (size_t i = 0; i < count && !err; i++)
        s->fates[numbers[i]] = SOAK_ADDED;
    return !err;
}

struct wording {
    char id[32], data[96];
    sc_job_opts opts;
};

static void add_some(struct soak_bustle *b, soak_kind kind, size_t count)
{
    struct wording words[BULK];
    sc_job_spec specs[BULK];
    unsigned numbers[BULK];

    for (size_t i = 0; i < count; i++) {
        numbers[i] = soak_number(b->s, kind);
        soak_spec(kind, numbers[i], words[i].id, words[i].data, &words[i].opts, &specs[i]);
    }
    soak_add(b->s, b->queues[soak_kind_queue(kind)], specs, numbers, count);
}

/* Cancels a job that may be anywhere, at least once. */
static void add_and_cancel(struct soak_bustle *b, int64_t after_ms)
{
    struct wording words;
    unsigned number = soak_number(b->s, SOAK_CANCELLED);
    sc_job_spec spec;
    int64_t began;
    sc_err err;

    soak_spec(SOAK_CANCELLED, number, words.id, words.data, &words.opts, &spec);
    if (!soak_add(b->s, b->queues[SOAK_JOBS], &spec, &number, 1))
        return;
    soak_rest(after_ms);
    do {
        began = sc__mono_ms();
        err = sc_queue_cancel(b->queues[SOAK_JOBS], words.opts.id, SC_S("soaked"), NULL, NULL);
    } while (err != SC_EJOBSTATE && again(b->s, "cancel", err, began));
}

/* Waits for a job's end, if it comes soon. */
static void add_and_wait(struct soak_bustle *b)
{
    struct wording words;
    unsigned number = soak_number(b->s, SOAK_PLAIN);
    sc_job_result *result = NULL;
    int64_t began = sc__mono_ms();
    sc_job_spec spec;
    sc_err err;

    soak_spec(SOAK_PLAIN, number, words.id, words.data, &words.opts, &spec);
    if (!soak_add(b->s, b->queues[SOAK_JOBS], &spec, &number, 1))
        return;
    err = sc_queue_wait_until_finished(b->queues[SOAK_JOBS], b->events, words.opts.id, WAIT_MS,
                                       &result);
    again(b->s, "wait", err, began);
    if (!err && result->state != SC_JOB_COMPLETED)
        soak_wrong(b->s, "%s is said to have failed", words.id);
    sc_free(result);
}

static void add_flow(struct soak_bustle *b, size_t count)
{
    struct wording words[1 + KIDS_MAX];
    sc_flow_node nodes[1 + KIDS_MAX] = {{.queue = {0}}};
    unsigned numbers[1 + KIDS_MAX];
    int64_t began;
    sc_err err;

    for (size_t i = 0; i <= count; i++) {
        soak_kind kind = i ? SOAK_KID : SOAK_PARENT;

        numbers[i] = soak_number(b->s, kind);
        nodes[i].queue = sc_slice_of(soak_queues[soak_kind_queue(kind)]);
        soak_spec(kind, numbers[i], words[i].id, words[i].data, &words[i].opts, &nodes[i].job);
        b->s->fates[numbers[i]] = SOAK_TRIED;
    }
    nodes[0].children = nodes + 1;
    nodes[0].child_count = count;
    do {
        began = sc__mono_ms();
        err = sc_flow_add(b->client, nodes, NULL, NULL, NULL);
    } while (again(b->s, "flow add", err, began));
    for (size_t i = 0; i <= count && !err; i++)
        b->s->fates[numbers[i]] = SOAK_ADDED;
}

/* False while nothing is to be done. */
static bool may_go_on(struct soak *s)
{
    if (!s->quiet)
        return true;
    atomic_fetch_sub(&s->busy, 1);
    while (s->quiet && !s->stopping)
        soak_rest(5);
    atomic_fetch_add(&s->busy, 1);
    return false;
}

static void *add_on(void *arg)
{
    struct adder *a = arg;
    struct soak_bustle *b = a->b;

    while (!b->s->stopping) {
        uint64_t random = soak_random(&a->random);
        soak_kind kind = (soak_kind)(random % SOAK_KID);

        if (!may_go_on(b->s))
            continue;
        if (kind == SOAK_PARENT)
            add_flow(b, 1 + random / 64 % KIDS_MAX);
        else if (kind == SOAK_CANCELLED)
            add_and_cancel(b, (int64_t)(random / 64 % 50));
        else if (random / 64 % 16 == 0)
            add_some(b, SOAK_LIMITED_JOB, 1);
        else if (random / 64 % 32 == 1)
            add_and_wait(b);
        else
            add_some(b, kind, random / 64 % 8 == 1 ? BULK : 1);
        soak_rest((int64_t)(random / 4096 % 20));
    }
    atomic_fetch_sub(&b->s->busy, 1);
    free(a);
    return NULL;
}

static sc_err load(sc_cache_load *load, sc_slice key, void *user)
{
    struct soak *s = user;
    char text[64];

    atomic_fetch_add(&s->loads, 1);
    soak_rest(2);
    snprintf(text, sizeof(text), "of %.*s", (int)key.len, key.ptr);
    return sc_cache_load_set(load, sc_slice_of(text));
}

/* Whatever is broken, a fetch gives the value. */
static void fetch(struct soak_bustle *b, uint64_t random)
{
    char key[32], text[64];
    int64_t began = sc__mono_ms();
    sc_cache_value value;
    sc_err err;

    snprintf(key, sizeof(key), "soak:%d", (int)(random % CACHE_KEYS));
    snprintf(text, sizeof(text), "of %s", key);
    err = sc_cache_get_or_set(b->cache, sc_slice_of(key), 3000, load, b->s, &value);
    again(b->s, "cache", err, began);
    if (err) {
        soak_wrong(b->s, "a fetch failed: %s", sc_err_name(err));
        return;
    }
    if (!sc_slice_eq(value.bytes, sc_slice_of(text)))
        soak_wrong(b->s, "the value of %s is %.*s", key, (int)value.bytes.len, value.bytes.ptr);
    sc_cache_value_release(&value);
    atomic_fetch_add(&b->s->fetches, 1);
    if (random / 1024 % 16 == 0) {
        err = sc_cache_del(b->cache, sc_slice_of(key), NULL);
        if (err && !soak_is_excused(err))
            soak_wrong(b->s, "a deletion failed: %s", sc_err_name(err));
    }
}

static void *cache_on(void *arg)
{
    struct adder *a = arg;
    struct soak_bustle *b = a->b;

    while (!b->s->stopping) {
        if (may_go_on(b->s))
            fetch(b, soak_random(&a->random));
        soak_rest(5);
    }
    atomic_fetch_sub(&b->s->busy, 1);
    free(a);
    return NULL;
}

static void store_schedules(struct soak_bustle *b)
{
    const struct {
        const char *id;
        sc_repeat repeat;
    } rules[] = {
        {"plain-0", {.every_ms = 300, .offset_ms = -1}},
        {"plain-1", {.pattern = SC_S("* * * * * *"), .offset_ms = -1}},
        {"guarded-0",
         {.every_ms = 200,
          .offset_ms = -1,
          .catchup = SC_CATCHUP_ALL,
          .catchup_window_ms = 3600 * 1000}},
        {"guarded-1", {.every_ms = 250, .offset_ms = -1, .overlap = SC_OVERLAP_SKIP}},
    };
    const sc_job_spec spec = {.name = SC_S("tick")};

    for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++)
        assert_ok(sc_scheduler_upsert(b->queues[SOAK_TICKS], sc_slice_of(rules[i].id),
                                      &rules[i].repeat, &spec, NULL, NULL, NULL));
}

static void on_event(void *user, const sc_event *event)
{
    struct soak *s = user;

    if (event->kind == SC_EVENT_COMPLETED || event->kind == SC_EVENT_FAILED)
        atomic_fetch_add(&s->events, 1);
}

static void start_thread(struct soak_bustle *b, int i)
{
    struct adder *a = calloc(1, sizeof(*a));

    *a = (struct adder){b, b->s->seed * 31 + (uint64_t)i};
    atomic_fetch_add(&b->s->busy, 1);
    assert_int_equal(pthread_create(&b->threads[i], NULL, i < ADDERS ? add_on : cache_on, a), 0);
}

struct soak_bustle *soak_bustle_start(struct soak *s, sc_client *client)
{
    struct soak_bustle *b = calloc(1, sizeof(*b));
    const sc_cache_opts cache_opts = {.near_entries = 10, .timeout_ms = 2000};

    *b = (struct soak_bustle){.s = s, .client = client};
    for (int i = 0; i < SOAK_QUEUES; i++)
        assert_ok(sc_queue_new(client, sc_slice_of(soak_queues[i]),
                               &(sc_queue_opts){.max_events = 10000000}, &b->queues[i], NULL));
    store_schedules(b);
    assert_ok(sc_cache_new(client, &cache_opts, &b->cache, NULL));
    assert_ok(sc_events_new(b->queues[SOAK_JOBS],
                            &(sc_events_opts){.last_id = SC_S("0"), .block_ms = 1000}, &b->events,
                            NULL));
    assert_ok(sc_events_start(b->events, on_event, s));
    for (int i = 0; i < ADDERS + CACHERS; i++)
        start_thread(b, i);
    return b;
}

void soak_bustle_end(struct soak_bustle *b)
{
    for (int i = 0; i < ADDERS + CACHERS; i++)
        pthread_join(b->threads[i], NULL);
    sc_events_free(b->events);
    sc_cache_free(b->cache);
    for (int i = 0; i < SOAK_QUEUES; i++)
        sc_queue_free(b->queues[i]);
    free(b);
}
