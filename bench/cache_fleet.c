/* The cache with Redis, as bench/cache_fleet.mjs runs it. One JSON line a run; the server is at BENCH_URL.
 *
 *     stampede PROCESSES THREADS ROUNDS LOAD_MS     all miss one key at once
 *     wakes PROCESSES THREADS ROUNDS LOAD_MS        as many threads woken without a cache: the kernel's own part of it
 *     failing CALLERS LOAD_MS                       the same in one process, and the load fails
 *     gets THREADS SECONDS                          values read from Redis, one after the other on each thread
 *     async CALLS SECONDS                           the same by so many calls that don't wait, each followed by the next
 *     misses THREADS SECONDS                        get_or_set of new keys, whose load takes no time
 *     hits THREADS SECONDS                          values held in the process, by the public call
 *     outage CALLERS SECONDS BEGIN END              get_or_set between two shell commands that make a fault and end it; every
 *                                                   second call is of a new key */
#include <storychain/cache.h>

#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS_MAX = 1024, KEYS = 1000, VALUE_SIZE = 100 };

static void die(const char *what, sc_err err)
{
    fprintf(stderr, "bench-fleet: %s: %s\n", what, sc_err_name(err));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A client and a cache of a process. */
struct side {
    sc_client *client;
    sc_cache *cache;
};

/* `timeout_ms` 0: the cache's own. */
static void open_side(struct side *side, size_t near_bytes, int64_t timeout_ms)
{
    const sc_client_opts client_opts = {.url = getenv("BENCH_URL")};
    const sc_cache_opts opts = {.timeout_ms = timeout_ms, .near_bytes = near_bytes};
    sc_err err = sc_client_new(&client_opts, &side->client, NULL);

    if (!err)
        err = sc_client_wait_ready(side->client, 10000, NULL);
    if (!err)
        err = sc_cache_new(side->client, &opts, &side->cache, NULL);
    if (err)
        die("a cache", err);
}

static void close_side(struct side *side)
{
    sc_cache_free(side->cache);
    sc_client_free(side->client);
}

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return x < y ? -1 : x > y;
}

static double percentile_us(int64_t *ns, size_t count, double p)
{
    if (!count)
        return 0;
    qsort(ns, count, sizeof(*ns), by_size);
    return (double)ns[(size_t)(p * (double)(count - 1))] / 1000;
}

/* all miss one key at once */

struct stampede {
    pthread_barrier_t start, end;
    int processes, threads, rounds, load_ms;
    sc_err load_err;
    atomic_int bell;
    atomic_int loads;
    atomic_int_fast64_t loaded_ns; /* when the round's loader returned */
    atomic_size_t count;
    int64_t waits[]; /* of those who came before that: from then to their own return */
};

static sc_err load_slowly(sc_cache_load *load, sc_slice key, void *user)
{
    struct stampede *s = user;
    sc_err err = sc_cache_load_set(load, key);

    atomic_fetch_add(&s->loads, 1);
    poll(NULL, 0, s->load_ms);
    atomic_store(&s->loaded_ns, now_ns());
    return s->load_err ? s->load_err : err;
}

struct runner {
    pthread_t thread;
    struct side *side;
    struct stampede *stampede;
    atomic_int *bell; /* of its process, when there is no cache */
    bool is_first;    /* of its process */
};

static void fetch_one(struct runner *r, int round)
{
    struct stampede *s = r->stampede;
    sc_cache_value value = {0};
    char key[32];
    sc_err err;

    snprintf(key, sizeof(key), "stampede:%d", round);
    err = sc_cache_get_or_set(r->side->cache, sc_slice_of(key), 60000, load_slowly, s, &value);
    if (err != s->load_err)
        die("get_or_set", err);
    sc_cache_value_release(&value);
}

static void wait_for_bell(atomic_int *bell, int round)
{
    int seen;

    while ((seen = atomic_load(bell)) <= round)
        syscall(SYS_futex, bell, FUTEX_WAIT, seen, NULL, NULL, 0);
}

static void ring(atomic_int *bell, int round)
{
    atomic_store(bell, round + 1);
    syscall(SYS_futex, bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

/* What the kernel alone takes: one thread of all sleeps as long as a load does and wakes one of each process, and that one all others there. */
static void only_wake(struct runner *r, int round)
{
    struct stampede *s = r->stampede;

    if (!r->is_first) {
        wait_for_bell(r->bell, round);
        return;
    }
    if (atomic_fetch_add(&s->loads, 1) % s->processes == 0) {
        poll(NULL, 0, s->load_ms);
        atomic_store(&s->loaded_ns, now_ns());
        ring(&s->bell, round);
    } else {
        wait_for_bell(&s->bell, round);
    }
    ring(r->bell, round);
}

static void ask(struct runner *r, int round)
{
    struct stampede *s = r->stampede;
    int64_t began, ended, loaded;

    pthread_barrier_wait(&s->start);
    began = now_ns();
    if (r->side)
        fetch_one(r, round);
    else
        only_wake(r, round);
    ended = now_ns();
    pthread_barrier_wait(&s->end); /* now the loader's time is known to all */
    loaded = atomic_load(&s->loaded_ns);
    if (began < loaded)
        s->waits[atomic_fetch_add(&s->count, 1)] = ended - loaded;
    pthread_barrier_wait(&s->end);
}

static void *run_rounds(void *arg)
{
    struct runner *r = arg;

    for (int i = 0; i < r->stampede->rounds; i++)
        ask(r, i);
    return NULL;
}

static void run_threads(struct stampede *s, struct side *side)
{
    static struct runner runners[THREADS_MAX];
    static atomic_int bell;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 256 * 1024);
    for (int i = 0; i < s->threads; i++) {
        runners[i] =
            (struct runner){.side = side, .stampede = s, .bell = &bell, .is_first = i == 0};
        if (pthread_create(&runners[i].thread, &attr, run_rounds, &runners[i]))
            die("a thread", SC_ENOMEM);
    }
    for (int i = 0; i < s->threads; i++)
        pthread_join(runners[i].thread, NULL);
}

static void run_process(struct stampede *s)
{
    struct side side;

    open_side(&side, 0, 10000);
    run_threads(s, &side);
    close_side(&side);
}

static struct stampede *new_stampede(int processes, int threads, int rounds, int load_ms)
{
    size_t size = sizeof(struct stampede) + (size_t)(processes * threads * rounds) * 8;
    struct stampede *s =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    pthread_barrierattr_t attr;

    if (s == MAP_FAILED || threads > THREADS_MAX)
        die("memory", SC_ENOMEM);
    s->processes = processes;
    s->threads = threads;
    s->rounds = rounds;
    s->load_ms = load_ms;
    pthread_barrierattr_init(&attr);
    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_barrier_init(&s->start, &attr, (unsigned)(processes * threads));
    pthread_barrier_init(&s->end, &attr, (unsigned)(processes * threads));
    return s;
}

/* `what`: "stampede", or "wakes" for the same without a cache. */
static void stampede(const char *what, int processes, int threads, int rounds, int load_ms)
{
    struct stampede *s = new_stampede(processes, threads, rounds, load_ms);
    const bool has_cache = strcmp(what, "stampede") == 0;
    int status;

    for (int i = 0; i < processes; i++)
        if (fork() == 0) {
            if (has_cache)
                run_process(s);
            else
                run_threads(s, NULL);
            _exit(0);
        }
    while (wait(&status) > 0)
        if (status)
            exit(1);
    printf("{\"what\":\"%s\",\"processes\":%d,\"threads\":%d,\"rounds\":%d,\"loads\":%d,"
           "\"waited\":%zu,\"p50_us\":%.0f,\"p99_us\":%.0f}\n",
           what, processes, threads, rounds, s->loads, s->count,
           percentile_us(s->waits, s->count, 0.5), percentile_us(s->waits, s->count, 0.99));
}

static void failing(int callers, int load_ms)
{
    struct stampede *s = new_stampede(1, callers, 1, load_ms);
    int64_t began;

    s->load_err = SC_EIO;
    began = now_ns();
    run_process(s);
    printf("{\"what\":\"failing\",\"callers\":%d,\"loads\":%d,\"load_ms\":%d,\"wall_ms\":%.1f,"
           "\"last_us\":%.0f}\n",
           callers, s->loads, load_ms, (double)(now_ns() - began) / 1e6,
           percentile_us(s->waits, s->count, 1));
}

/* reading */

static char keys[KEYS][17];

struct reader {
    alignas(128) pthread_t thread; /* what one counts is on no line of another's */
    struct side *side;
    sc_cache_source source;
    int number;
    atomic_bool *over;
    uint64_t count;
    unsigned seed;
};

static void *read_on(void *arg)
{
    struct reader *r = arg;
    sc_cache_value value;
    uint64_t from_there = 0;

    for (unsigned i = r->seed; !atomic_load_explicit(r->over, memory_order_relaxed); i++) {
        if (sc_cache_get(r->side->cache, (sc_slice){keys[i % KEYS], 16}, &value) ||
            !value.bytes.len)
            die("get", SC_ENOTFOUND);
        from_there += value.source == r->source;
        r->count++;
        sc_cache_value_release(&value);
    }
    if (from_there < r->count / 2)
        die("values come from elsewhere", SC_EINTERNAL);
    return NULL;
}

static sc_err load_at_once(sc_cache_load *load, sc_slice key, void *user)
{
    static const char value[VALUE_SIZE];

    (void)key, (void)user;
    return sc_cache_load_set(load, (sc_slice){value, sizeof(value)});
}

static void *miss_on(void *arg)
{
    struct reader *r = arg;
    sc_cache_value value;
    char key[32];

    for (; !atomic_load_explicit(r->over, memory_order_relaxed); r->count++) {
        snprintf(key, sizeof(key), "miss:%d:%llu", r->number, (unsigned long long)r->count);
        if (sc_cache_get_or_set(r->side->cache, sc_slice_of(key), 600000, load_at_once, NULL,
                                &value) ||
            value.source != SC_CACHE_MISS)
            die("get_or_set", SC_EINTERNAL);
        sc_cache_value_release(&value);
    }
    return NULL;
}

static void populate(sc_cache *cache)
{
    char value[VALUE_SIZE];

    memset(value, 'v', sizeof(value));
    for (unsigned i = 0; i < KEYS; i++) {
        sc_err err;

        snprintf(keys[i], sizeof(keys[i]), "bench:%010u", i);
        err =
            sc_cache_set(cache, (sc_slice){keys[i], 16}, (sc_slice){value, sizeof(value)}, 600000);
        if (err)
            die("set", err);
    }
}

static void readers(const char *what, void *(*run)(void *), int threads, double seconds,
                    size_t near_bytes)
{
    static struct reader all[THREADS_MAX];
    atomic_bool over = false;
    uint64_t count = 0;
    struct side side;
    int64_t began;

    open_side(&side, near_bytes, 10000);
    populate(side.cache);
    began = now_ns();
    for (int i = 0; i < threads; i++) {
        all[i] = (struct reader){.side = &side,
                                 .source = near_bytes ? SC_CACHE_NEAR : SC_CACHE_HIT,
                                 .number = i,
                                 .over = &over,
                                 .seed = (unsigned)i * 37};
        if (pthread_create(&all[i].thread, NULL, run, &all[i]))
            die("a thread", SC_ENOMEM);
    }
    poll(NULL, 0, (int)(seconds * 1000));
    atomic_store(&over, true);
    for (int i = 0; i < threads; i++) {
        pthread_join(all[i].thread, NULL);
        count += all[i].count;
    }
    seconds = (double)(now_ns() - began) / 1e9;
    close_side(&side);
    printf("{\"what\":\"%s\",\"threads\":%d,\"per_s\":%.0f,\"ns\":%.0f}\n", what, threads,
           (double)count / seconds, seconds * 1e9 * threads / (double)count);
}

/* so many calls under way, of one thread */

struct chain {
    sc_cache *cache;
    atomic_bool over;
    atomic_uint_fast64_t count, next;
    atomic_int left;
};

static void ask_next(struct chain *chain);

static void on_value(void *user, sc_err err, const sc_cache_value *value)
{
    struct chain *chain = user;

    if (err || value->source != SC_CACHE_HIT)
        die("get_async", err ? err : SC_ENOTFOUND);
    atomic_fetch_add_explicit(&chain->count, 1, memory_order_relaxed);
    if (atomic_load_explicit(&chain->over, memory_order_relaxed))
        atomic_fetch_sub(&chain->left, 1);
    else
        ask_next(chain);
}

static void ask_next(struct chain *chain)
{
    size_t i = atomic_fetch_add_explicit(&chain->next, 1, memory_order_relaxed);
    sc_err err = sc_cache_get_async(chain->cache, (sc_slice){keys[i % KEYS], 16}, on_value, chain);

    if (err)
        die("get_async", err);
}

static void async(int calls, double seconds)
{
    static struct chain chain;
    struct side side;
    int64_t began;

    open_side(&side, 0, 10000);
    populate(side.cache);
    chain.cache = side.cache;
    chain.left = calls;
    began = now_ns();
    for (int i = 0; i < calls; i++)
        ask_next(&chain);
    poll(NULL, 0, (int)(seconds * 1000));
    atomic_store(&chain.over, true);
    while (atomic_load(&chain.left))
        poll(NULL, 0, 1);
    seconds = (double)(now_ns() - began) / 1e9;
    close_side(&side);
    printf("{\"what\":\"async\",\"calls\":%d,\"per_s\":%.0f}\n", calls,
           (double)chain.count / seconds);
}

/* the server is stopped */

enum { OUTAGE_CALLS_MAX = 1000000, OUTAGE_LOAD_MS = 1 };

struct outage {
    struct side side;
    atomic_bool stopped, over;
    atomic_size_t count, news;
    int64_t ns[OUTAGE_CALLS_MAX]; /* of the calls that began meanwhile */
};

static sc_err load_quickly(sc_cache_load *load, sc_slice key, void *user)
{
    (void)user;
    poll(NULL, 0, OUTAGE_LOAD_MS);
    return sc_cache_load_set(load, key);
}

static void *call_on(void *arg)
{
    struct outage *o = arg;
    sc_cache_value value;
    char key[32];
    size_t n;

    for (unsigned i = 0; !atomic_load(&o->over); i++) {
        bool counts = atomic_load(&o->stopped);
        int64_t began;
        sc_err err;

        if (i % 2)
            snprintf(key, sizeof(key), "new:%zu", atomic_fetch_add(&o->news, 1));
        else
            memcpy(key, keys[i / 2 % KEYS], 17);
        began = now_ns();
        err =
            sc_cache_get_or_set(o->side.cache, sc_slice_of(key), 60000, load_quickly, NULL, &value);

        if (err)
            die("get_or_set", err);
        sc_cache_value_release(&value);
        if (counts && (n = atomic_fetch_add(&o->count, 1)) < OUTAGE_CALLS_MAX)
            o->ns[n] = now_ns() - began;
    }
    return NULL;
}

static void shell(const char *command)
{
    int status;
    pid_t child = fork();

    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0 || status)
        die(command, SC_EIO);
}

static void outage(int callers, int seconds, const char *begin, const char *end)
{
    static struct outage o;
    static pthread_t threads[THREADS_MAX];
    size_t count;

    open_side(&o.side, 0, 0);
    populate(o.side.cache);
    for (int i = 0; i < callers; i++)
        if (pthread_create(&threads[i], NULL, call_on, &o))
            die("a thread", SC_ENOMEM);
    poll(NULL, 0, 500);
    shell(begin);
    atomic_store(&o.stopped, true);
    poll(NULL, 0, seconds * 1000);
    atomic_store(&o.stopped, false);
    shell(end);
    atomic_store(&o.over, true);
    for (int i = 0; i < callers; i++)
        pthread_join(threads[i], NULL);
    close_side(&o.side);
    count = o.count < OUTAGE_CALLS_MAX ? o.count : OUTAGE_CALLS_MAX;
    printf("{\"what\":\"outage\",\"callers\":%d,\"calls\":%zu,\"p50_ms\":%.2f,\"p99_ms\":%.2f,"
           "\"max_ms\":%.2f}\n",
           callers, count, percentile_us(o.ns, count, 0.5) / 1000,
           percentile_us(o.ns, count, 0.99) / 1000, percentile_us(o.ns, count, 1) / 1000);
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    if ((!strcmp(what, "stampede") || !strcmp(what, "wakes")) && argc == 6)
        stampede(what, number(argv[2]), number(argv[3]), number(argv[4]), number(argv[5]));
    else if (!strcmp(what, "failing") && argc == 4)
        failing(number(argv[2]), number(argv[3]));
    else if (!strcmp(what, "gets") && argc == 4)
        readers("gets", read_on, number(argv[2]), strtod(argv[3], NULL), 0);
    else if (!strcmp(what, "async") && argc == 4)
        async(number(argv[2]), strtod(argv[3], NULL));
    else if (!strcmp(what, "misses") && argc == 4)
        readers("misses", miss_on, number(argv[2]), strtod(argv[3], NULL), 0);
    else if (!strcmp(what, "hits") && argc == 4)
        readers("hits", read_on, number(argv[2]), strtod(argv[3], NULL), (size_t)64 * 1024 * 1024);
    else if (!strcmp(what, "outage") && argc == 6)
        outage(number(argv[2]), number(argv[3]), argv[4], argv[5]);
    else
        die("usage: stampede P T ROUNDS MS | wakes P T ROUNDS MS | failing CALLERS MS | gets T S | "
            "async C S | misses T "
            "S | hits T S "
            "| outage "
            "CALLERS S BEGIN END",
            SC_EINVAL);
    return 0;
}
