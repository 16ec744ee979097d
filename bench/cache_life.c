/* What tags and old values cost. One JSON line a run; the server is at BENCH_URL.
 *
 *     tag MEMBERS                                 so many values get a tag, which is deleted; beside it, a key is deleted
 *     hits CALLERS SIZE                           values with 4 tags are read from Redis, beside others without
 *     hot PROCESSES RATE LOAD_MS TTL_MS TTLS      so many requests a second for one key, by all processes together */
#include <storychain/cache.h>

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { SLICE = 100, TIMES = 200 };

static void check(const char *what, sc_err err)
{
    if (!err)
        return;
    fprintf(stderr, "bench-life: %s: %s\n", what, sc_err_name(err));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static sc_cache *open_cache(size_t near_bytes, sc_client **ret_client)
{
    const sc_client_opts client_opts = {.url = getenv("BENCH_URL")};
    const sc_cache_opts opts = {
        .timeout_ms = 10000, .near_bytes = near_bytes, .near_confirms = true};
    sc_cache *cache;

    check("a client", sc_client_new(&client_opts, ret_client, NULL));
    check("a connection", sc_client_wait_ready(*ret_client, 10000, NULL));
    check("a cache", sc_cache_new(*ret_client, &opts, &cache, NULL));
    return cache;
}

/* tags */

static const char *const tags[] = {"bench", NULL};
static const sc_cache_def tagged = {.ttl_ms = 600000, .tags = tags};

static void store_members(sc_cache *cache, long members)
{
    static char keys[SLICE][32];
    sc_cache_item items[SLICE];

    for (long done = 0; done < members; done += SLICE) {
        for (int i = 0; i < SLICE; i++) {
            snprintf(keys[i], sizeof(keys[i]), "bench:%ld", done + i);
            items[i] = (sc_cache_item){sc_slice_of(keys[i]), SC_S("value")};
        }
        check("store", sc_cache_store_many(cache, &tagged, items, SLICE));
    }
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static double median_us(int64_t *ns)
{
    qsort(ns, TIMES, sizeof(*ns), by_size);
    return (double)ns[TIMES / 2] / 1000;
}

static void tag(long members)
{
    static int64_t by_tag[TIMES], by_key[TIMES];
    const sc_slice name = SC_S("bench");
    sc_cache_value value;
    sc_client *client;
    sc_cache *cache = open_cache(0, &client);

    store_members(cache, members);
    check("get", sc_cache_get(cache, SC_S("bench:0"), &value));
    if (value.source != SC_CACHE_HIT)
        check("the value", SC_ENOTFOUND);
    sc_cache_value_release(&value);
    for (int i = 0; i < TIMES; i++) {
        int64_t began = now_ns();

        check("del_tags", sc_cache_del_tags(cache, &name, 1));
        by_tag[i] = now_ns() - began;
        began = now_ns();
        check("del", sc_cache_del(cache, SC_S("one"), NULL));
        by_key[i] = now_ns() - began;
    }
    check("get", sc_cache_get(cache, SC_S("bench:0"), &value));
    if (value.source != SC_CACHE_MISS)
        check("the dead value", SC_EEXIST);
    printf("{\"what\":\"tag\",\"members\":%ld,\"tag_us\":%.0f,\"key_us\":%.0f}\n", members,
           median_us(by_tag), median_us(by_key));
    sc_cache_free(cache);
    sc_client_free(client);
}

/* hits with tags */

enum { KEYS = 1000, KINDS = 4, ROUNDS = 41, ROUND_MS = 60 };

static char content[1024 * 1024]; /* text, of so many bytes: */
static size_t content_len;

static const char *const four[] = {"one", "two", "three", "four", NULL};

static sc_err load_plainly(sc_cache_load *out, sc_slice key, void *user)
{
    (void)key, (void)user;
    return sc_cache_load_set(out, (sc_slice){content, content_len});
}

static sc_err load_with_tags(sc_cache_load *out, sc_slice key, void *user)
{
    for (int i = 0; four[i]; i++)
        check("tag", sc_cache_load_tag(out, sc_slice_of(four[i])));
    return load_plainly(out, key, user);
}

static const struct {
    const char *name;
    sc_cache_def def;
} kinds[KINDS] = {
    {"untagged", {.ttl_ms = 600000, .load = load_plainly}},
    {"by_definition", {.ttl_ms = 600000, .load = load_plainly, .tags = four}},
    {"by_loader", {.ttl_ms = 600000, .load = load_with_tags}},
    {"held", {.ttl_ms = 600000, .load = load_plainly, .tags = four}}, /* and confirmed */
};

static void read_one(sc_cache *cache, int kind, int number)
{
    sc_cache_value value;
    char key[32];

    snprintf(key, sizeof(key), "%s:%d", kinds[kind].name, number);
    check("fetch", sc_cache_fetch(cache, &kinds[kind].def, sc_slice_of(key), NULL, &value));
    sc_cache_value_release(&value);
}

struct reader {
    pthread_t thread;
    sc_cache *cache;
    int kind;
    long reads;
};

static void *run_reader(void *arg)
{
    const int64_t end = now_ns() + (int64_t)ROUND_MS * 1000000;
    struct reader *r = arg;

    for (r->reads = 0; now_ns() < end; r->reads++)
        read_one(r->cache, r->kind, (int)(r->reads % KEYS));
    return NULL;
}

static double reads_a_second(sc_cache *cache, int kind, int callers)
{
    static struct reader readers[256];
    const int64_t began = now_ns();
    long reads = 0;

    for (int i = 0; i < callers; i++) {
        readers[i] = (struct reader){.cache = cache, .kind = kind};
        pthread_create(&readers[i].thread, NULL, run_reader, &readers[i]);
    }
    for (int i = 0; i < callers; i++) {
        pthread_join(readers[i].thread, NULL);
        reads += readers[i].reads;
    }
    return (double)reads * 1e9 / (double)(now_ns() - began);
}

static int by_rate(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values)
{
    qsort(values, ROUNDS, sizeof(*values), by_rate);
    return values[ROUNDS / 2];
}

/* How many times as long as one without tags: the median of short rounds, each beside the other kinds'. */
static void tell_hits(int callers, double rates[KINDS][ROUNDS], int kind)
{
    double times[ROUNDS], sorted[ROUNDS];

    for (int i = 0; i < ROUNDS; i++) {
        times[i] = rates[0][i] / rates[kind][i];
        sorted[i] = rates[kind][i];
    }
    printf("{\"what\":\"hits\",\"callers\":%d,\"tags\":\"%s\",\"per_s\":%.0f,\"times\":%.2f}\n",
           callers, kinds[kind].name, median(sorted), median(times));
}

static void hits(int callers, size_t size)
{
    static double rates[KINDS][ROUNDS];
    sc_client *client, *other;
    sc_cache *cache = open_cache(0, &client), *holding = open_cache(64 << 20, &other);
    sc_cache *const caches[KINDS] = {cache, cache, cache, holding};
    sc_cache_stats before, after;

    content_len = size < sizeof(content) ? size : sizeof(content);
    for (size_t i = 0; i < content_len; i++)
        content[i] = (char)('a' + (i * i + i / 7) % 23);
    for (int kind = 0; kind < KINDS; kind++)
        for (int i = 0; i < KEYS; i++)
            read_one(caches[kind], kind, i);
    sc_cache_stats_get(cache, &before);
    for (int round = 0; round < ROUNDS; round++)
        for (int kind = 0; kind < KINDS; kind++)
            rates[kind][round] = reads_a_second(caches[kind], kind, callers);
    sc_cache_stats_get(cache, &after);
    if (after.misses != before.misses)
        check("a hit", SC_ENOTFOUND);
    for (int kind = 0; kind < KINDS; kind++)
        tell_hits(callers, rates, kind);
    sc_cache_free(cache);
    sc_cache_free(holding);
    sc_client_free(client);
    sc_client_free(other);
}

/* one hot key */

struct hot {
    int load_ms;
    atomic_int loads, cold;
    atomic_long requests, slowest_us;
};

static sc_err load(sc_cache_load *out, sc_slice key, void *user)
{
    struct hot *hot = user;

    (void)key;
    atomic_fetch_add(&hot->loads, 1);
    poll(NULL, 0, hot->load_ms);
    return sc_cache_load_set(out, SC_S("value"));
}

static void request(sc_cache *cache, const sc_cache_def *def, struct hot *hot, bool counts)
{
    sc_cache_value value;
    int64_t began = now_ns();
    long took;

    check("fetch", sc_cache_fetch(cache, def, SC_S("hot"), hot, &value));
    took = (long)((now_ns() - began) / 1000);
    if (counts && value.source != SC_CACHE_HIT)
        atomic_fetch_add(&hot->cold, 1);
    sc_cache_value_release(&value);
    for (long most = atomic_load(&hot->slowest_us); counts && took > most;)
        if (atomic_compare_exchange_weak(&hot->slowest_us, &most, took))
            break;
    atomic_fetch_add(&hot->requests, counts);
}

static void run_process(const sc_cache_def *def, struct hot *hot, double rate, double seconds)
{
    int64_t gap = (int64_t)(1e9 / rate), next;
    sc_client *client;
    sc_cache *cache = open_cache(0, &client);
    int64_t end;

    request(cache, def, hot, false);
    next = now_ns();
    for (end = next + (int64_t)(seconds * 1e9); next < end; next += gap) {
        struct timespec at = {next / 1000000000, next % 1000000000};

        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL);
        request(cache, def, hot, true);
    }
    sc_cache_free(cache);
    sc_client_free(client);
}

static void run_hot(int processes, double rate, int load_ms, int64_t ttl_ms, int ttls)
{
    const sc_cache_def def = {
        .ttl_ms = ttl_ms, .soft_ttl_ms = ttl_ms - load_ms, .grace_ms = ttl_ms, .load = load};
    struct hot *hot =
        mmap(NULL, sizeof(*hot), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (hot == MAP_FAILED)
        check("memory", SC_ENOMEM);
    hot->load_ms = load_ms;
    for (int i = 0; i < processes; i++)
        if (fork() == 0) {
            run_process(&def, hot, rate / processes, (double)ttl_ms * ttls / 1000);
            exit(0);
        }
    while (wait(NULL) > 0)
        ;
    printf("{\"what\":\"hot\",\"processes\":%d,\"requests\":%ld,\"ttls\":%d,\"loads\":%d,"
           "\"not_from_cache\":%d,\"slowest_ms\":%.1f}\n",
           processes, atomic_load(&hot->requests), ttls, atomic_load(&hot->loads),
           atomic_load(&hot->cold), (double)atomic_load(&hot->slowest_us) / 1000);
}

static long number(const char *text)
{
    return strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "tag") == 0) {
        tag(number(argv[2]));
    } else if (argc == 4 && strcmp(argv[1], "hits") == 0) {
        hits((int)number(argv[2]), (size_t)number(argv[3]));
    } else if (argc == 7 && strcmp(argv[1], "hot") == 0) {
        run_hot((int)number(argv[2]), (double)number(argv[3]), (int)number(argv[4]),
                number(argv[5]), (int)number(argv[6]));
    } else {
        fprintf(stderr, "bench-life tag MEMBERS | hits CALLERS SIZE | hot PROCESSES RATE LOAD_MS "
                        "TTL_MS TTLS\n");
        return 2;
    }
    return 0;
}
