/* A soak: producers, workers, schedules, listeners and a cache in several processes, while the server, the processes and the way between them break
 * at random. After each few faults all must have healed: every job has ended as it should, once; nothing is left over; and every slot of
 * every worker takes a job.
 *
 * SC_SOAK_SECONDS: how long (4); SC_SOAK_SEED: which faults (1); SC_SOAK_FAULT_MS: the longest fault (1,000; 12,000 when it lasts for a minute
 * or more); SC_SOAK_REPORT: a file that gets a line for each fault; SC_SOAK_LOG: the processes' log comes with a failure. */
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <storychain/scheduler.h>

#include "base/clock.h"
#include "support/fleet.h"
#include "support/soak.h"
#include "support/test.h"

enum { FAULTS_A_ROUND = 6 };

struct round {
    struct soak *s;
    struct soak_checker *checker;
    struct test_server server;
    struct relay relay;
    sc_client *client;
    sc_queue *queues[SOAK_QUEUES];
    FILE *report;
    int count;
    long live, fds; /* of the first process, as of the first round */
};

static int64_t setting(const char *name, int64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoll(text, NULL, 10) : otherwise;
}

static void say(struct round *r, const char *fmt, ...) SC_PRINTF(2, 3);

static void say(struct round *r, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    if (r->report)
        vfprintf(r->report, fmt, args);
    va_end(args);
    if (r->report)
        fflush(r->report);
}

/* The mother of all processes: it has no threads. */

static pid_t fork_one(struct soak *s, int number)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    soak_live(s, number);
    _exit(0);
}

static void bury(struct soak *s, pid_t pid, int status)
{
    for (int i = 0; i < SOAK_PROCESSES; i++)
        if (s->processes[i].pid == pid)
            s->processes[i].pid = 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return;
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        s->crashes++;
}

static void keep_up(struct soak *s)
{
    int status;
    pid_t pid;

    for (int i = 0; i < SOAK_PROCESSES && s->go && !s->stopping; i++)
        if (!s->processes[i].pid)
            s->processes[i].pid = fork_one(s, i);
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        bury(s, pid, status);
}

static bool has_children(const struct soak *s)
{
    for (int i = 0; i < SOAK_PROCESSES; i++)
        if (s->processes[i].pid)
            return true;
    return false;
}

static pid_t fork_mother(struct soak *s)
{
    pid_t pid = fork();

    if (pid)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (!s->stopping || has_children(s)) {
        keep_up(s);
        soak_rest(5);
    }
    _exit(0);
}

/* What all believe, for who reads why it failed. */
static void dump(struct round *r)
{
    int64_t deadline = sc__mono_ms() + 5000;

    soak_checker_print(r->checker);
    r->s->dumps++;
    for (int i = 0; i < SOAK_PROCESSES; i++) {
        while (r->s->processes[i].dumped < r->s->dumps && sc__mono_ms() < deadline)
            soak_rest(5);
        if (r->s->processes[i].dumped < r->s->dumps)
            fprintf(stderr, "process %d says nothing\n", i);
    }
}

#define FAIL(r, ...)                                                                               \
    do {                                                                                           \
        dump(r);                                                                                   \
        say(r, "FAILED: " __VA_ARGS__);                                                            \
        fail_msg(__VA_ARGS__);                                                                     \
    } while (0)

static void assert_nothing_wrong(struct round *r)
{
    if (r->s->crashes)
        FAIL(r, "round %d: %d processes ended badly", r->count, (int)r->s->crashes);
    if (r->s->wrong)
        FAIL(r, "round %d: %s", r->count, r->s->what);
}

#define AWAIT(r, what, condition)                                                                  \
    do {                                                                                           \
        int64_t until_ = sc__mono_ms() + SOAK_DEADLINE_MS;                                         \
        while (!(condition)) {                                                                     \
            assert_nothing_wrong(r);                                                               \
            if (sc__mono_ms() > until_)                                                            \
                FAIL(r, "round %d: waited in vain: %s", (r)->count, (what));                       \
            soak_rest(5);                                                                          \
        }                                                                                          \
    } while (0)

static bool all_work(const struct soak *s)
{
    for (int i = 0; i < SOAK_PROCESSES; i++)
        if (!s->processes[i].works)
            return false;
    return true;
}

static void add_hold(struct round *r, int queue)
{
    const soak_kind kind = (soak_kind)(SOAK_HOLD + queue);
    unsigned number = soak_number(r->s, kind);
    char id[32], data[96];
    sc_job_opts opts;
    sc_job_spec spec;

    soak_spec(kind, number, id, data, &opts, &spec);
    if (!soak_add(r->s, r->queues[queue], &spec, &number, 1))
        FAIL(r, "a job could not be added");
}

/* Jobs that hold their slots until all are held: each slot of each worker is good for something. */
static void fill_all_slots(struct round *r)
{
    enum { SLOTS = SOAK_PROCESSES * SOAK_CONCURRENCY };

    for (int i = 0; i < SLOTS * SOAK_QUEUES; i++)
        add_hold(r, i % SOAK_QUEUES);
    AWAIT(r, "all slots are held", r->s->holding == SLOTS * SOAK_QUEUES);
    r->s->released = SOAK_JOBS_MAX;
    AWAIT(r, "all jobs end again", soak_is_drained(r->checker) && r->s->holding == 0);
    r->s->released = 0;
}

static long count_fds(int pid)
{
    char path[64];
    long count = 0;

    for (int fd = 0; fd < 1024; fd++) {
        snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
        count += access(path, F_OK) == 0;
    }
    return count;
}

/* The first process lives through all. */
static void check_growth(struct round *r)
{
    long live = r->s->processes[0].live, fds = count_fds(r->s->processes[0].pid);

    if (r->count == 1) {
        r->live = live;
        r->fds = fds;
    }
    say(r, "  %ld pieces of memory, %ld descriptors\n", live, fds);
    if (live > r->live + 1000 || fds > r->fds + 10)
        FAIL(r, "from %ld to %ld pieces of memory, from %ld to %ld descriptors", r->live, live,
             r->fds, fds);
}

static void heal(struct round *r)
{
    const char *problem;

    r->s->quiet = true;
    AWAIT(r, "all calls return", r->s->busy == 0);
    AWAIT(r, "all processes work", all_work(r->s));
    AWAIT(r, "all jobs end", soak_is_drained(r->checker));
    AWAIT(r, "schedules go on", soak_is_on_time(r->checker));
    fill_all_slots(r);
    problem = soak_check(r->checker, false);
    if (problem[0])
        FAIL(r, "round %d: %s", r->count, problem);
    check_growth(r);
    assert_nothing_wrong(r);
    r->s->quiet = false;
}

static void open_soak(struct round *r)
{
    static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};
    struct soak *s = r->s;

    test_server_start_args(&r->server, durable);
    relay_start(&r->relay, &r->server);
    snprintf(s->url, sizeof(s->url), "%s", r->server.url);
    memcpy(s->relay_url, r->relay.url, sizeof(s->relay_url));
    r->client = test_server_client(&r->server);
    for (int i = 0; i < SOAK_QUEUES; i++)
        assert_ok(sc_queue_new(r->client, sc_slice_of(soak_queues[i]),
                               &(sc_queue_opts){.max_events = 10000000}, &r->queues[i], NULL));
    r->checker = soak_checker_new(s, &r->server, r->client);
    s->go = true;
    AWAIT(r, "all processes work", all_work(s));
}

/* Without schedules nothing is left to do. */
static void close_soak(struct round *r, pid_t mother)
{
    static const char *const ids[] = {"plain-0", "plain-1", "guarded-0", "guarded-1"};
    const char *problem;
    int status;

    r->s->quiet = true;
    AWAIT(r, "all calls return", r->s->busy == 0);
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++)
        assert_ok(sc_scheduler_remove(r->queues[SOAK_TICKS], sc_slice_of(ids[i])));
    AWAIT(r, "the last jobs of schedules end",
          strcmp(test_redis(&r->server, "LLEN bull:ticks:wait"), "0") == 0 &&
              strcmp(test_redis(&r->server, "LLEN bull:ticks:active"), "0") == 0);
    problem = soak_check(r->checker, true);
    if (problem[0])
        FAIL(r, "at the end: %s", problem);
    r->s->stopping = true;
    AWAIT(r, "all processes end", waitpid(mother, &status, WNOHANG) == mother);
    assert_nothing_wrong(r);
    soak_checker_free(r->checker);
    for (int i = 0; i < SOAK_QUEUES; i++)
        sc_queue_free(r->queues[i]);
    sc_client_free(r->client);
    relay_stop(&r->relay);
}

TEST_LIMIT(whatever_breaks_all_heals, 24 * 3600)
{
    static struct round r; /* its relay's thread goes on when the test has failed */
    const int64_t seconds = setting("SC_SOAK_SECONDS", 4);
    const char *report = getenv("SC_SOAK_REPORT");
    int64_t end_ms;
    pid_t mother;

    r.s = fleet_memory(sizeof(struct soak));
    r.s->seed = (uint64_t)setting("SC_SOAK_SEED", 1);
    r.s->longest_ms = setting("SC_SOAK_FAULT_MS", seconds < 60 ? 1000 : 12000);
    r.s->order_to = -1;
    r.report = report ? fopen(report, "a") : NULL;
    mother = fork_mother(r.s);
    open_soak(&r);

    end_ms = sc__mono_ms() + seconds * 1000;
    while (sc__mono_ms() < end_ms) {
        r.count++;
        for (int i = 0; i < FAULTS_A_ROUND && sc__mono_ms() < end_ms; i++) {
            say(&r, "%s\n", soak_break(r.s, &r.server, &r.relay));
            assert_nothing_wrong(&r);
            soak_rest(100);
        }
        heal(&r);
        say(&r,
            "round %d: %u jobs, %ld fetches, %ld loads; longest call %ld ms (%s), longest close "
            "%ld "
            "ms\n",
            r.count, (unsigned)r.s->next, (long)r.s->fetches, (long)r.s->loads,
            (long)r.s->longest_call_ms, r.s->longest_call ? r.s->longest_call : "none",
            (long)r.s->longest_close_ms);
    }

    close_soak(&r, mother);
}
