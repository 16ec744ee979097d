/* A soak's jobs: their kinds, and how each must end. */
#include <poll.h>

#include "base/clock.h"
#include "soak.h"
#include "test.h"

const char *const soak_queues[SOAK_QUEUES] = {"jobs", "kids", "limited", "ticks"};

/* How a job must end ("": in one way or another); `made`: its tries, 0: not known. */
static const struct kind {
    const char *name;
    int queue;
    const char *end;
    int made;
} kinds[SOAK_KINDS] = {
    [SOAK_PLAIN] = {"plain", SOAK_JOBS, "completed", 1},
    [SOAK_RETRIED] = {"retried", SOAK_JOBS, "completed", 3},
    [SOAK_FAILING] = {"failing", SOAK_JOBS, "failed", 2},
    [SOAK_DELAYED] = {"delayed", SOAK_JOBS, "completed", 1},
    [SOAK_PRIORITIZED] = {"prioritized", SOAK_JOBS, "completed", 1},
    [SOAK_DEDUPED] = {"deduped", SOAK_JOBS, "completed", 1},
    [SOAK_BATCHED] = {"batched", SOAK_JOBS, "completed", 1},
    [SOAK_PUT_OFF] = {"put_off", SOAK_JOBS, "completed", 1},
    [SOAK_LONG] = {"long", SOAK_JOBS, "completed", 1},
    [SOAK_TIMED] = {"timed", SOAK_JOBS, "", 1},
    [SOAK_CANCELLED] = {"cancelled", SOAK_JOBS, "", 0},
    [SOAK_SPAWNING] = {"spawning", SOAK_JOBS, "completed", 0},
    [SOAK_PARENT] = {"parent", SOAK_JOBS, "completed", 1},
    [SOAK_KID] = {"kid", SOAK_KIDS, "completed", 1},
    [SOAK_LIMITED_JOB] = {"limited", SOAK_LIMITED, "completed", 1},
    [SOAK_HOLD + SOAK_JOBS] = {"hold_jobs", SOAK_JOBS, "completed", 1},
    [SOAK_HOLD + SOAK_KIDS] = {"hold_kids", SOAK_KIDS, "completed", 1},
    [SOAK_HOLD + SOAK_LIMITED] = {"hold_limited", SOAK_LIMITED, "completed", 1},
    [SOAK_HOLD + SOAK_TICKS] = {"hold_ticks", SOAK_TICKS, "completed", 1},
};

uint64_t soak_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

void soak_rest(int64_t ms)
{
    int64_t until = sc__mono_ms() + ms, left;

    while ((left = until - sc__mono_ms()) > 0)
        poll(NULL, 0, (int)left);
}

void soak_wrong(struct soak *s, const char *fmt, ...)
{
    va_list args;

    if (atomic_fetch_add(&s->wrong, 1))
        return;
    va_start(args, fmt);
    vsnprintf(s->what, sizeof(s->what), fmt, args);
    va_end(args);
}

const char *soak_kind_name(soak_kind kind)
{
    return kinds[kind].name;
}

int soak_kind_queue(soak_kind kind)
{
    return kinds[kind].queue;
}

unsigned soak_number(struct soak *s, soak_kind kind)
{
    unsigned number = atomic_fetch_add(&s->next, 1);

    if (number >= SOAK_JOBS_MAX) {
        fprintf(stderr, "the soak has no room for more jobs\n");
        exit(1);
    }
    s->kinds[number] = (unsigned char)kind;
    return number;
}

void soak_spec(soak_kind kind, unsigned number, char *id, char *data, sc_job_opts *opts,
               sc_job_spec *ret_spec)
{
    const struct kind *k = &kinds[kind];

    snprintf(id, 32, "%s-%u", k->name, number);
    snprintf(data, 96, "{\"n\":%u,\"end\":\"%s\",\"made\":%d}", number, k->end, k->made);
    *opts = (sc_job_opts){.id = sc_slice_of(id), .attempts = k->made ? k->made : 1000000};
    if (kind == SOAK_RETRIED || kind == SOAK_FAILING)
        opts->backoff = (sc_backoff){.kind = number % 2 ? SC_BACKOFF_FIXED : SC_BACKOFF_EXPONENTIAL,
                                     .delay_ms = 40};
    if (kind == SOAK_SPAWNING)
        opts->backoff = (sc_backoff){.kind = SC_BACKOFF_FIXED, .delay_ms = 50};
    if (kind == SOAK_TIMED)
        opts->hard_timeout_ms = 20;
    if (kind == SOAK_CANCELLED)
        opts->attempts = 1;
    if (kind == SOAK_DELAYED)
        opts->delay_ms = 1 + number % 700;
    if (kind == SOAK_PRIORITIZED)
        opts->priority = 1 + number % 3;
    if (kind == SOAK_DEDUPED)
        opts->dedup = (sc_dedup){.id = number % 2 ? SC_S("odd") : SC_S("even"),
                                 .keep_last_if_active = number % 3 == 0};
    *ret_spec =
        (sc_job_spec){.name = sc_slice_of(k->name), .data = sc_slice_of(data), .opts = opts};
}

bool soak_is_excused(sc_err err)
{
    return err == SC_ECONNECT || err == SC_ECONNLOST || err == SC_ETIMEDOUT || err == SC_EREPLY ||
           err == SC_EREADONLY || err == SC_EOVERLOAD || err == SC_ECANCELED;
}
