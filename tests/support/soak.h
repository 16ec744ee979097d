/* A soak: processes that add jobs, work on them and cache, on one server, while it, they and what lies between them break; and what must be
 * true when it is over. tests/fault/test_soak.c leads; this is what its parts share.
 *
 * The processes are forked from one that has no threads, which also puts another one in the place of one that was killed. All of them know each other
 * by memory that they share. */
#ifndef TEST_SUPPORT_SOAK_H
#define TEST_SUPPORT_SOAK_H

#include <stdatomic.h>

#include <sys/types.h>

#include <storychain/queue.h>
#include <storychain/worker.h>

#include "relay.h"
#include "server.h"

enum {
    SOAK_PROCESSES = 4, /* the first adds and caches too, and is not killed */
    SOAK_BY_HAND = 2,   /* in this one jobs of a queue are taken by hand */
    SOAK_JOBS_MAX = 1 << 21,
    SOAK_CONCURRENCY = 4, /* of each worker */
    SOAK_LOCK_MS = 1500,
    SOAK_DEADLINE_MS = 120000,
    SOAK_PLAIN_SCHEDULES = 2,
    SOAK_GUARDED_SCHEDULES = 2,
    SOAK_SCHEDULES = SOAK_PLAIN_SCHEDULES + SOAK_GUARDED_SCHEDULES
};

/* Queues, and the kinds of jobs in them; see soak_jobs.c. */
enum { SOAK_JOBS, SOAK_KIDS, SOAK_LIMITED, SOAK_TICKS, SOAK_QUEUES };

extern const char *const soak_queues[SOAK_QUEUES];

typedef enum soak_kind {
    SOAK_PLAIN,
    SOAK_RETRIED,
    SOAK_FAILING,
    SOAK_DELAYED,
    SOAK_PRIORITIZED,
    SOAK_DEDUPED,
    SOAK_BATCHED,
    SOAK_PUT_OFF,
    SOAK_LONG,
    SOAK_TIMED,     /* takes longer than its hard timeout, though both may be noticed at once */
    SOAK_CANCELLED, /* at some time, by who added it */
    SOAK_SPAWNING,
    SOAK_PARENT,
    SOAK_KID,
    SOAK_LIMITED_JOB,
    SOAK_HOLD, /* holds its slot until all slots are held; one kind for each queue */
    SOAK_HOLD_LAST = SOAK_HOLD + SOAK_QUEUES - 1,
    SOAK_KINDS
} soak_kind;

/* Close them and start others; pause them for a moment; give them fewer slots, then all again; pause a queue for all of them. */
enum { SOAK_RESTART, SOAK_PAUSE, SOAK_FEWER, SOAK_PAUSE_QUEUE };

/* What became of a job's add. */
enum { SOAK_UNUSED, SOAK_TRIED, SOAK_ADDED };

struct soak {
    /* Settings */
    uint64_t seed;
    int64_t longest_ms; /* of a fault */

    /* What processes need to begin; set before `go`. */
    char url[160], relay_url[160];
    atomic_bool go;

    atomic_bool quiet;    /* nobody adds, nobody caches */
    atomic_bool stopping; /* all end */
    atomic_int busy;      /* threads of the first process that are at it */
    atomic_int order;     /* what a process is to do with its workers; see below */
    atomic_int order_to;  /* which process; -1: none, or it has done so */
    atomic_int dumps;     /* how often all were asked what their workers believe */

    struct {
        atomic_int pid, dumped;
        atomic_long live; /* pieces of memory in use */
        atomic_bool works;
    } processes[SOAK_PROCESSES];
    atomic_int crashes; /* processes that ended by themselves, and not well */

    /* Jobs, by number */
    atomic_uint next;
    atomic_uchar kinds[SOAK_JOBS_MAX], fates[SOAK_JOBS_MAX], runs[SOAK_JOBS_MAX];
    atomic_int holding, released; /* SOAK_HOLD: how many run; up to which number they may end */

    atomic_long loads, fetches, events, longest_call_ms, longest_close_ms, given_back;
    atomic_bool may_give_back; /* a worker was paused or closed */
    atomic_int wrong;          /* what should not have happened; `what` is the first of these */
    char what[256];
    _Atomic(const char *) longest_call; /* static; all processes have it at the same place */
};

/* Says what should not have happened. Any process. */
void soak_wrong(struct soak *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* The life of a process, from its fork. Returns when s->stopping. */
void soak_live(struct soak *s, int number);

/* Its threads that add and cache; the first process alone has them. */
struct soak_bustle;
struct soak_bustle *soak_bustle_start(struct soak *s, sc_client *client);
void soak_bustle_end(struct soak_bustle *bustle);

/* A number for a new job of a kind. */
unsigned soak_number(struct soak *s, soak_kind kind);

/* What the jobs are: their names, queues, data, and options. Those are filled in for a job of that number; `id` has room for 32 bytes,
 * `data` for 96. */
const char *soak_kind_name(soak_kind kind);
int soak_kind_queue(soak_kind kind);
void soak_spec(soak_kind kind, unsigned number, char *id, char *data, sc_job_opts *opts,
               sc_job_spec *ret_spec);

/* Adds, again and again until it is known that it was done. False: stopping. */
bool soak_add(struct soak *s, sc_queue *queue, const sc_job_spec *specs, const unsigned *numbers,
              size_t count);

/* True for what a call may end with while something is broken. */
bool soak_is_excused(sc_err err);

/* The workers of a process. */
struct soak_crew {
    struct soak *s;
    sc_client *client;
    sc_queue *kids;
    sc_worker *workers[SOAK_QUEUES];
    struct soak_hands *hands; /* NULL: none */
};

struct soak_crew *soak_crew_start(struct soak *s, int number, sc_client *client);
void soak_crew_handle(struct soak_crew *crew, sc_worker *worker); /* with processors for all */
void soak_crew_end(struct soak_crew *crew);
void soak_crew_dump(struct soak_crew *crew, int number);

/* Threads that take jobs of a worker of the queue "kids" by hand; what they do with one, which is a processor too. */
struct soak_hands;
struct soak_hands *soak_hands_start(struct soak *s, sc_worker *worker);
void soak_hands_end(struct soak_hands *hands);
sc_outcome soak_do_kid(sc_run *run, const sc_job *job, void *user);

/* Breaks something at random for a time, and mends it. The name of what it was. */
const char *soak_break(struct soak *s, struct test_server *server, struct relay *relay);

/* What must be true when nothing is to be done any more: "" or what is not. Counts jobs, then forgets those that have ended. Schedules may still go
 * on, unless `is_over`. */
struct soak_checker;
struct soak_checker *soak_checker_new(struct soak *s, const struct test_server *server,
                                      sc_client *client);
const char *soak_check(struct soak_checker *c, bool is_over);
bool soak_is_drained(struct soak_checker *c);    /* but for jobs of schedules */
bool soak_is_on_time(struct soak_checker *c);    /* schedules are */
void soak_checker_print(struct soak_checker *c); /* the state of the queues */
void soak_checker_free(struct soak_checker *c);

/* Random numbers of a thread, the same for the same seed. */
uint64_t soak_random(uint64_t *state);

/* The rhythm of the soak: nothing is awaited here. */
void soak_rest(int64_t ms);

#endif
