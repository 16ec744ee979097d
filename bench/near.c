/* The near cache alone: what a hit costs, how long an invalidation takes, how often it hits on traces of real requests.
 *
 *     bench-near hits [KEYS]              ns a hit, borrowed, copied and pinned, by 1 and by 2 threads
 *     bench-near invalidate [KEYS]        µs an invalidation, while a thread reads
 *     bench-near trace FILE ENTRIES...    miss ratio of a trace (zstd, uint32 a request) in a cache of so many entries
 *
 * One JSON line a figure. Keys have 16 bytes, values 100, and keys are asked for by Zipf's law (0.99). A time is the best of
 * many short runs, which other programs on the machine disturb least. bench/cache.mjs puts the figures beside others'. */
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "near_trace.h"

enum {
    KEY_LEN = 16,
    VALUE_LEN = 100,
    ASKED = 1 << 18, /* keys in the order they are asked for; then again */
    ROUNDS = 5,
    RUNS = 200,
    RUN_HITS = 10000,
    INVALIDATIONS = 20000,
    TAGS = 4
};

enum way { BORROWED, COPIED, PINNED, WAYS };
static const char *const way_names[] = {"borrowed", "copied", "pinned"};

static struct bench {
    sc__near *near;
    int keys;
    char (*names)[KEY_LEN];
    unsigned *asked;
} bench;

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static void *need(void *memory)
{
    if (!memory)
        exit(1);
    return memory;
}

static void put(int key, const char *value, int tags)
{
    sc_slice names[TAGS];
    char texts[TAGS][16];
    sc__near_item item = {.key = {bench.names[key], KEY_LEN},
                          .value = {value, VALUE_LEN},
                          .expires_ms = INT64_MAX,
                          .soft_ms = INT64_MAX,
                          .birth = 1,
                          .tags = names,
                          .tag_count = (size_t)tags};

    for (int i = 0; i < tags; i++)
        names[i] =
            (sc_slice){texts[i], (size_t)snprintf(texts[i], 16, "tag%d", (key * 7 + i * 31) % 100)};
    if (sc__near_put(bench.near, &item))
        exit(1);
}

/* Which keys are asked for: the n-th most popular with a chance of 1/n^0.99, popular ones anywhere in the table. */
static void choose_asked(void)
{
    double *up_to = need(calloc((size_t)bench.keys, sizeof(double))), sum = 0;

    for (int i = 0; i < bench.keys; i++)
        up_to[i] = sum += 1 / pow(i + 1, 0.99);
    for (int i = 0; i < ASKED; i++) {
        double at = drand48() * sum;
        int low = 0, high = bench.keys - 1;

        while (low < high) {
            int middle = (low + high) / 2;

            if (up_to[middle] < at)
                low = middle + 1;
            else
                high = middle;
        }
        bench.asked[i] = (unsigned)low * 2654435761u % (unsigned)bench.keys;
    }
    free(up_to);
}

static void prepare(int keys, int tags)
{
    char value[VALUE_LEN];

    bench.keys = keys;
    bench.names = need(calloc((size_t)keys, sizeof(*bench.names)));
    bench.asked = need(calloc(ASKED, sizeof(*bench.asked)));
    if (sc__near_new(&(sc__near_opts){.max_bytes = (size_t)1 << 30, .keeps_tags = true},
                     &bench.near))
        exit(1);
    memset(value, 'v', sizeof(value));
    for (int i = 0; i < keys; i++) {
        char name[KEY_LEN + 1];

        snprintf(name, sizeof(name), "story:%010d", i);
        memcpy(bench.names[i], name, KEY_LEN);
        put(i, value, tags);
    }
    choose_asked();
}

static void clean(void)
{
    sc__near_free(bench.near);
    free(bench.names);
    free(bench.asked);
}

/* one run of hits */

static unsigned use(enum way way, const sc__near_entry *entry)
{
    static _Thread_local char copy[VALUE_LEN];
    sc_slice value = sc__near_value(entry);

    if (way == COPIED) {
        memcpy(copy, value.ptr, value.len);
        return (unsigned char)copy[7];
    }
    if (way == PINNED)
        sc__near_pin(entry);
    return (unsigned char)value.ptr[7];
}

static unsigned hit(enum way way, unsigned key)
{
    sc__near_section section = sc__near_enter(bench.near);
    const sc__near_entry *entry = NULL;
    bool found = sc__near_find(bench.near, (sc_slice){bench.names[key], KEY_LEN}, 1, &entry) ==
                 SC__NEAR_FRESH;
    unsigned sum = found ? use(way, entry) : 0;

    sc__near_leave(&section, found);
    if (found && way == PINNED)
        sc__near_unpin(entry);
    return sum;
}

static unsigned run_hits(enum way way, unsigned from)
{
    unsigned sum = 0;

    for (unsigned i = from; i < from + RUN_HITS; i++)
        sum += hit(way, bench.asked[i % ASKED]);
    return sum;
}

/* Threads that run at the same time, from one gate to the next. */
struct team {
    int threads;
    enum way way;
    atomic_int at_gate;
    double ns[2][RUNS];
};

struct member {
    struct team *team;
    int number;
    pthread_t thread;
    unsigned sum;
};

static void *run_member(void *arg)
{
    struct member *m = arg;

    for (int run = 0; run < RUNS; run++) {
        int64_t began;

        atomic_fetch_add(&m->team->at_gate, 1);
        while (atomic_load(&m->team->at_gate) < m->team->threads * (run + 1))
            sched_yield();
        began = now_ns();
        m->sum += run_hits(m->team->way, (unsigned)(run * 7919 + m->number * 104729));
        m->team->ns[m->number][run] = (double)(now_ns() - began) / RUN_HITS;
    }
    return NULL;
}

/* Of the slower of the threads that ran together. */
static double best_of(const struct team *team)
{
    double best = 1e9;

    for (int run = 0; run < RUNS; run++) {
        double ns = team->ns[0][run];

        if (team->threads > 1 && team->ns[1][run] > ns)
            ns = team->ns[1][run];
        best = ns < best ? ns : best;
    }
    return best;
}

static double time_hits(enum way way, int threads)
{
    static struct team team;
    struct member members[2];

    team.threads = threads;
    team.way = way;
    atomic_store(&team.at_gate, 0);
    for (int i = 0; i < threads; i++) {
        members[i] = (struct member){.team = &team, .number = i};
        if (pthread_create(&members[i].thread, NULL, run_member, &members[i]))
            exit(1);
    }
    for (int i = 0; i < threads; i++)
        pthread_join(members[i].thread, NULL);
    return best_of(&team);
}

/* One thread and two in turn, so that both have the same moments of a busy machine. */
static void bench_way(enum way way, int tags)
{
    double best[3] = {0, 1e9, 1e9};

    for (int round = 0; round < ROUNDS; round++)
        for (int threads = 1; threads <= 2; threads++) {
            double ns = time_hits(way, threads);

            best[threads] = ns < best[threads] ? ns : best[threads];
        }
    printf(
        "{\"what\":\"%s\",\"keys\":%d,\"tags\":%d,\"ns\":%.1f,\"ns_of_two\":%.1f,\"scale\":%.2f}\n",
        way_names[way], bench.keys, tags, best[1], best[2], 2 * best[1] / best[2]);
    fflush(stdout);
}

static void bench_hits(int keys)
{
    for (int tags = 0; tags <= TAGS; tags += TAGS) {
        prepare(keys, tags);
        for (enum way way = 0; way < WAYS; way++)
            bench_way(way, tags);
        clean();
    }
}

/* invalidations, while a thread reads */

static atomic_bool reading;

static void *read_on(void *arg)
{
    unsigned *sum = arg;

    for (unsigned from = 0; atomic_load(&reading); from += RUN_HITS)
        *sum += run_hits(BORROWED, from);
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static void bench_invalidations(int keys)
{
    static double us[INVALIDATIONS];
    char value[VALUE_LEN];
    pthread_t reader;
    unsigned sum = 0;

    prepare(keys, 0);
    memset(value, 'v', sizeof(value));
    atomic_store(&reading, true);
    if (pthread_create(&reader, NULL, read_on, &sum))
        exit(1);
    for (int i = 0; i < INVALIDATIONS; i++) {
        unsigned key = bench.asked[i * 13 % ASKED];
        int64_t began = now_ns();

        sc__near_del(bench.near, (sc_slice){bench.names[key], KEY_LEN});
        us[i] = (double)(now_ns() - began) / 1000;
        put((int)key, value, 0);
    }
    atomic_store(&reading, false);
    pthread_join(reader, NULL);
    qsort(us, INVALIDATIONS, sizeof(us[0]), compare);
    printf("{\"what\":\"invalidation\",\"keys\":%d,\"p50_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%."
           "2f}\n",
           keys, us[INVALIDATIONS / 2], us[INVALIDATIONS / 100 * 99],
           us[INVALIDATIONS / 1000 * 999]);
    clean();
}

int main(int argc, char **argv)
{
    const int keys = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 10000;

    if (argc > 3 && !strcmp(argv[1], "trace"))
        return near_trace(argv[2], argv + 3, argc - 3);
    if (argc > 1 && keys > 0 && !strcmp(argv[1], "hits")) {
        bench_hits(keys);
        return 0;
    }
    if (argc > 1 && keys > 0 && !strcmp(argv[1], "invalidate")) {
        bench_invalidations(keys);
        return 0;
    }
    fprintf(stderr,
            "usage: bench-near hits [KEYS] | invalidate [KEYS] | trace FILE.zst ENTRIES...\n");
    return 2;
}
