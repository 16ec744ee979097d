/* A closer look at a queue: jobs of several states, counts, what is stored about it, its metrics. */
#include <storychain/inspect.h>

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "ops/op_inspect.h"
#include "queue.h"

enum { STATES_MAX = 100 };

static const int64_t LATEST_MS = INT64_C(1) << 50; /* any date whose score can be written */

/* Pages of one state each, to become one list. */
struct pages {
    sc_job_list *page[STATES_MAX];
    size_t count, jobs;
};

static void pages_free(struct pages *pages)
{
    for (size_t i = 0; i < pages->count; i++)
        sc_job_list_free(pages->page[i]);
}

static int by_id(const void *a, const void *b)
{
    const sc_job *x = *(sc_job *const *)a, *y = *(sc_job *const *)b;

    return strcmp(x->id.ptr, y->id.ptr);
}

/* True when the pages before `before` have this job already: it moved between two reads. */
static bool is_repeated(const sc_job *job, sc_job *const *sorted, size_t count)
{
    return count && bsearch(&job, sorted, count, sizeof(*sorted), by_id);
}

static void take_page(sc_job_list *list, sc_job_list *page, sc_job **sorted)
{
    sc_job **jobs = (sc_job **)list->jobs, **from = (sc_job **)page->jobs;
    size_t before = list->count;

    for (size_t i = 0; i < page->count; i++) {
        if (is_repeated(from[i], sorted, before))
            continue;
        sorted[list->count] = jobs[list->count] = from[i];
        list->count++;
        from[i] = NULL;
    }
    if (list->count)
        qsort(sorted, list->count, sizeof(*sorted), by_id);
}

/* Takes the jobs out of the pages. */
static sc_err join(struct pages *pages, sc_job_list **ret_list)
{
    sc_job_list *list = sc__malloc(sizeof(*list) + pages->jobs * sizeof(sc_job *));
    sc_job **sorted = sc__calloc(pages->jobs, sizeof(*sorted));

    if (!list || !sorted) {
        sc_free(list);
        sc_free(sorted);
        return SC_ENOMEM;
    }
    *list = (sc_job_list){0, (sc_job **)(list + 1)};
    for (size_t i = 0; i < pages->count; i++)
        take_page(list, pages->page[i], sorted);
    sc_free(sorted);
    *ret_list = list;
    return SC_OK;
}

sc_err sc_queue_get_jobs_of(sc_queue *queue, const sc_job_state *states, size_t count,
                            int64_t start, int64_t end, bool ascending, sc_job_list **ret_jobs,
                            sc_reason *ret_reason)
{
    struct pages pages = {.count = 0};
    sc_err err = SC_OK;

    if (count > STATES_MAX)
        return sc__because(ret_reason, SC_EINVAL, "%zu states; the limit is %d", count, STATES_MAX);
    for (size_t i = 0; i < count && !err; i++) {
        err = sc_queue_get_jobs(queue, states[i], start, end, ascending, &pages.page[i]);
        if (err)
            sc__because(ret_reason, err, "jobs of the state %s: %s", sc_job_state_name(states[i]),
                        sc_err_text(err));
        else
            pages.jobs += pages.page[pages.count++]->count;
    }
    if (!err && join(&pages, ret_jobs))
        err = sc__because(ret_reason, SC_ENOMEM, "out of memory");
    pages_free(&pages);
    return err;
}

sc_err sc_queue_count(sc_queue *queue, int64_t *ret_count, sc_reason *ret_reason)
{
    sc_queue_counts counts;
    sc_err err = sc_queue_get_counts(queue, &counts);

    if (err)
        return sc__because(ret_reason, err, "counting jobs: %s", sc_err_text(err));
    *ret_count = counts.by_state[SC_JOB_WAITING] + counts.by_state[SC_JOB_DELAYED] +
                 counts.by_state[SC_JOB_PRIORITIZED] + counts.by_state[SC_JOB_WAITING_CHILDREN];
    return SC_OK;
}

sc_err sc_queue_count_delayed(sc_queue *queue, int64_t before_ms, int64_t *ret_count,
                              sc_reason *ret_reason)
{
    if (before_ms < 0 || before_ms > LATEST_MS)
        return sc__because(ret_reason, SC_EINVAL, "the date is %lld ms; 0 to %lld",
                           (long long)before_ms, (long long)LATEST_MS);
    return sc__op_count_delayed(queue->client, &queue->keys, before_ms, ret_count, ret_reason);
}

sc_err sc_queue_get_metrics(sc_queue *queue, sc_job_state kind, int64_t start, int64_t end,
                            sc_metrics **ret_metrics, sc_reason *ret_reason)
{
    const sc_reply *points;
    sc_reply *reply = NULL;
    sc_metrics figures, *m;
    int64_t *numbers;
    sc_err err;

    if (kind != SC_JOB_COMPLETED && kind != SC_JOB_FAILED)
        return sc__because(ret_reason, SC_EINVAL, "metrics are kept of completed and failed jobs");
    if (start < 0 || start > INT32_MAX || end < -1)
        return sc__because(ret_reason, SC_EINVAL,
                           "a range counts from 0; its end may be -1, for the last");
    if (end == -1 || end > start + SC__METRICS_MAX - 1)
        end = start + SC__METRICS_MAX - 1;
    err = sc__op_get_metrics(queue->client, &queue->keys, kind, start, end, &reply, &figures,
                             &points, ret_reason);
    if (err)
        return err;
    m = sc__malloc(sizeof(*m) + figures.point_count * sizeof(*numbers));
    if (m) {
        numbers = (int64_t *)(m + 1);
        for (size_t i = 0; i < figures.point_count; i++)
            if (points[i].type != SC_REPLY_STRING || !sc__int_parse(points[i].str, &numbers[i]))
                numbers[i] = 0;
        *m = figures;
        m->points = numbers;
        *ret_metrics = m;
    }
    sc_reply_free(reply);
    return m ? SC_OK : sc__because(ret_reason, SC_ENOMEM, "out of memory");
}
