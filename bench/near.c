/* A cache without a server: what a hit costs, how long a delete takes, how often it hits on traces of real requests.
 *
 *     bench-near hits [KEYS]              ns a hit of each call, by 1 and by 2 threads
 *     bench-near delete [KEYS]            µs a delete, while a thread reads
 *     bench-near expire [KEYS]            the same while so many expire, and how long until they are freed
 *     bench-near trace FILE ENTRIES...    miss ratio of a trace (zstd, uint32 a request) in a cache of so many entries
 *     bench-near cost FILE ENTRIES...     what its loads take where some take longer, unknown to the cache and known
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

#include <storychain/cache.h>

#include "near_trace.h"

enum {
    KEY_LEN = 16,
    VALUE_LEN = 100,
    BOUND = 64 << 20, /* of the cache, or room for all keys */
    BYTES_A_KEY = 512,
    ASKED = 1 << 16, /* keys in the order they are asked for; then again */
    ROUNDS = 4,
    RUNS = 100,
    RUN_HITS = 10000,
    DELETES = 20000,
    SHORT_MS = 3000
};

enum way { BORROW, COPY, GET, FETCH, WAYS };
static const char *const way_names[] = {"sc_cache_try_borrow", "sc_cache_try_copy", "sc_cache_get",
                                        "sc_cache_fetch"};

static struct bench {
    sc_cache *cache;
    int keys;
    char (*names)[KEY_LEN];
    unsigned *asked;
} bench;

static sc_err load_nothing(sc_cache_load *load, sc_slice key, void *user)
{
    (void)load, (void)key, (void)user;
    return SC_ENOTFOUND;
}

static const char *const tags[] = {"tag one", "tag two", "tag three", "tag four", NULL};
static const sc_cache_def untagged = {.ttl_ms = SC_TTL_FOREVER, .load = load_nothing};
static const sc_cache_def short_lived = {.ttl_ms = SHORT_MS, .load = load_nothing};
static const sc_cache_def tagged = {.ttl_ms = 3600000, .load = load_nothing, .tags = tags};

static sc_slice name_of(unsigned key)
{
    return (sc_slice){bench.names[key], KEY_LEN};
}

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

static void put(unsigned key, const sc_cache_def *def)
{
    char value[VALUE_LEN];
    sc_err err;

    memset(value, 'v', sizeof(value));
    /* Busy: a reader has lost the processor for long. */
    do {
        err = sc_cache_store(bench.cache, def, name_of(key), (sc_slice){value, VALUE_LEN});
    } while (err == SC_EBUSY);
    if (err)
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

static void prepare(int keys, const sc_cache_def *def)
{
    const size_t room = (size_t)keys * BYTES_A_KEY;

    bench.keys = keys;
    bench.names = need(calloc((size_t)keys, sizeof(*bench.names)));
    bench.asked = need(calloc(ASKED, sizeof(*bench.asked)));
    if (sc_cache_new(NULL, &(sc_cache_opts){.near_bytes = room > BOUND ? room : BOUND},
                     &bench.cache, NULL))
        exit(1);
    for (int i = 0; i < keys; i++) {
        char name[KEY_LEN + 1];

        snprintf(name, sizeof(name), "story:%010d", i);
        memcpy(bench.names[i], name, KEY_LEN);
        put((unsigned)i, def);
    }
    choose_asked();
}

static void clean(void)
{
    sc_cache_free(bench.cache);
    free(bench.names);
    free(bench.asked);
}

/* one run of hits */

static unsigned borrow(sc_slice key)
{
    sc_cache_borrowed borrowed;
    unsigned byte;

    if (!sc_cache_try_borrow(bench.cache, key, &borrowed))
        exit(1);
    byte = (unsigned char)borrowed.bytes.ptr[7];
    sc_cache_give_back(&borrowed);
    return byte;
}

static unsigned copy(sc_slice key)
{
    char buffer[VALUE_LEN];
    size_t len;

    if (!sc_cache_try_copy(bench.cache, key, buffer, sizeof(buffer), &len))
        exit(1);
    return (unsigned char)buffer[7];
}

static unsigned get(sc_slice key, const sc_cache_def *def)
{
    sc_cache_value value;
    unsigned byte;

    if (def ? sc_cache_fetch(bench.cache, def, key, NULL, &value)
            : sc_cache_get(bench.cache, key, &value))
        exit(1);
    byte = (unsigned char)value.bytes.ptr[7];
    sc_cache_value_release(&value);
    return byte;
}

static unsigned hit(enum way way, sc_slice key)
{
    switch (way) {
    case BORROW:
        return borrow(key);
    case COPY:
        return copy(key);
    case GET:
        return get(key, NULL);
    default:
        return get(key, &untagged);
    }
}

static unsigned run_hits(enum way way, unsigned from)
{
    unsigned sum = 0;

    for (unsigned i = from; i < from + RUN_HITS; i++)
        sum += hit(way, name_of(bench.asked[i % ASKED]));
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
static void bench_way(enum way way, int tag_count)
{
    double best[3] = {0, 1e9, 1e9};

    for (int round = 0; round < ROUNDS; round++)
        for (int threads = 1; threads <= 2; threads++) {
            double ns = time_hits(way, threads);

            best[threads] = ns < best[threads] ? ns : best[threads];
        }
    printf(
        "{\"what\":\"%s\",\"keys\":%d,\"tags\":%d,\"ns\":%.1f,\"ns_of_two\":%.1f,\"scale\":%.2f}\n",
        way_names[way], bench.keys, tag_count, best[1], best[2], 2 * best[1] / best[2]);
    fflush(stdout);
}

static void bench_hits(int keys)
{
    prepare(keys, &untagged);
    for (enum way way = 0; way < WAYS; way++)
        bench_way(way, 0);
    clean();
    prepare(keys, &tagged);
    for (enum way way = 0; way < WAYS; way++)
        bench_way(way, 4);
    clean();
}

/* deletes, while a thread reads */

static atomic_bool reading;

static unsigned reads(sc_slice key)
{
    sc_cache_borrowed borrowed;

    if (!sc_cache_try_borrow(bench.cache, key, &borrowed))
        return 0;
    sc_cache_give_back(&borrowed);
    return 1;
}

static void *read_on(void *arg)
{
    unsigned *sum = arg;

    for (unsigned from = 0; atomic_load(&reading); from += RUN_HITS)
        for (unsigned i = from; i < from + RUN_HITS; i++)
            *sum += reads(name_of(bench.asked[i % ASKED]));
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;

    return (*x > *y) - (*x < *y);
}

static pthread_t start_reader(unsigned *sum)
{
    pthread_t reader;

    atomic_store(&reading, true);
    if (pthread_create(&reader, NULL, read_on, sum))
        exit(1);
    return reader;
}

static void end_reader(pthread_t reader)
{
    atomic_store(&reading, false);
    pthread_join(reader, NULL);
}

static double us_of_delete(sc_slice key)
{
    int64_t began = now_ns();

    if (sc_cache_del(bench.cache, key, NULL))
        exit(1);
    return (double)(now_ns() - began) / 1000;
}

static void show_deletes(const char *what, double *us, int count)
{
    qsort(us, (size_t)count, sizeof(us[0]), compare);
    printf("{\"what\":\"%s\",\"keys\":%d,\"p50_us\":%.2f,\"p99_us\":%.2f,\"p999_us\":%.2f", what,
           bench.keys, us[count / 2], us[count / 100 * 99], us[count / 1000 * 999]);
}

static void bench_deletes(int keys)
{
    static double us[DELETES];
    unsigned sum = 0;
    pthread_t reader;

    prepare(keys, &untagged);
    reader = start_reader(&sum);
    for (int i = 0; i < DELETES; i++) {
        unsigned key = bench.asked[i * 13 % ASKED];

        us[i] = us_of_delete(name_of(key));
        put(key, &untagged);
    }
    end_reader(reader);
    show_deletes("invalidation", us, DELETES);
    printf("}\n");
    clean();
}

/* They are put in as fast as that goes, and expire in the same order. */
static void bench_expiry(int keys)
{
    static double us[10 * DELETES];
    int64_t began = now_ns(), filled;
    sc_cache_stats stats = {.near_entries = 1};
    unsigned sum = 0;
    pthread_t reader;
    int n = 0;

    prepare(keys, &short_lived);
    filled = now_ns();
    reader = start_reader(&sum);
    while (now_ns() < began + SHORT_MS * INT64_C(1000000))
        sched_yield();
    while (stats.near_entries && n < 10 * DELETES) {
        const int64_t next = now_ns() + 10000;

        us[n++] = us_of_delete((sc_slice){"none", 4});
        if (n % 1000 == 0)
            sc_cache_stats_get(bench.cache, &stats);
        while (now_ns() < next)
            ;
    }
    end_reader(reader);
    show_deletes("invalidation, while keys expire", us, n);
    printf(",\"put_in_s\":%.2f,\"freed_after_s\":%.2f}\n", (double)(filled - began) / 1e9,
           (double)(now_ns() - filled) / 1e9 - SHORT_MS / 1e3);
    clean();
}

int main(int argc, char **argv)
{
    const int keys = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 10000;

    if (argc > 3 && !strcmp(argv[1], "trace"))
        return near_trace(argv[2], argv + 3, argc - 3);
    if (argc > 3 && !strcmp(argv[1], "cost"))
        return near_cost(argv[2], argv + 3, argc - 3);
    if (argc > 1 && keys > 0 && !strcmp(argv[1], "hits")) {
        bench_hits(keys);
        return 0;
    }
    if (argc > 1 && keys > 0 && !strcmp(argv[1], "delete")) {
        bench_deletes(keys);
        return 0;
    }
    if (argc > 1 && keys > 0 && !strcmp(argv[1], "expire")) {
        bench_expiry(keys);
        return 0;
    }
    fprintf(stderr,
            "usage: bench-near hits|delete|expire [KEYS] | trace|cost FILE.zst ENTRIES...\n");
    return 2;
}
