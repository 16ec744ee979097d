/* Threads that wait for the end of a job: each is in the reader's list first and looks at the job's state then, so that
 * an end in between is not missed. */
#include "base/clock.h"
#include "base/mem.h"
#include "events.h"

static void end_wait(sc__event_wait *wait, sc_err err, sc_job_result *result)
{
    wait->over = true;
    wait->err = err;
    wait->result = result;
    sc__waiter_wake(&wait->waiter);
}

void sc__events_tell_waits(sc_events *events, const sc_event *event)
{
    bool completed = event->kind == SC_EVENT_COMPLETED;
    sc__event_wait **at = &events->waits;

    if (!completed && event->kind != SC_EVENT_FAILED)
        return;
    while (*at) {
        sc__event_wait *wait = *at;
        sc_job_result *result;

        if (!sc_slice_eq(wait->id, event->job_id)) {
            at = &wait->next;
            continue;
        }
        *at = wait->next;
        result = sc__job_result_new(completed ? SC_JOB_COMPLETED : SC_JOB_FAILED,
                                    completed ? event->return_value : event->failed_reason);
        end_wait(wait, result ? SC_OK : SC_ENOMEM, result);
    }
}

void sc__events_cancel_waits(sc_events *events)
{
    while (events->waits) {
        sc__event_wait *wait = events->waits;

        events->waits = wait->next;
        end_wait(wait, SC_ECANCELED, NULL);
    }
}

static void join_on_loop(void *arg)
{
    sc__event_wait *wait = arg;

    if (!wait->events->running)
        return;
    wait->joined = true;
    wait->next = wait->events->waits;
    wait->events->waits = wait;
}

static void leave_on_loop(void *arg)
{
    sc__event_wait *wait = arg;
    sc__event_wait **at = &wait->events->waits;

    while (*at && *at != wait)
        at = &(*at)->next;
    if (*at)
        *at = wait->next;
}

static int64_t left_of(int64_t timeout_ms, int64_t start)
{
    int64_t passed = sc__mono_ms() - start;

    return passed < timeout_ms ? timeout_ms - passed : 0;
}

/* In the list already. Leaves it. */
static sc_err wait_for_end(sc_queue *queue, sc__event_wait *wait, int64_t timeout_ms,
                           sc_job_result **ret_result)
{
    int64_t start = sc__mono_ms();
    bool is_short = timeout_ms < sc__client_opts(queue->client)->command_timeout_ms;
    sc_job_result *result = NULL;
    bool late = false;
    sc_err err;

    err = sc__op_is_finished(queue->client, &queue->keys, wait->id, is_short ? timeout_ms : 0,
                             &result);
    if (!err && !result)
        late = !sc__waiter_wait_for(&wait->waiter, left_of(timeout_ms, start));
    sc__loop_run_wait(sc__client_loop(queue->client), leave_on_loop, wait);
    if (wait->over && !result) {
        err = wait->err;
        result = wait->result;
    } else {
        sc_free(wait->result);
    }
    if (late && !err && !result)
        err = sc__op_is_finished(queue->client, &queue->keys, wait->id, 0, &result);
    if (err)
        return err;
    if (!result)
        return SC_ETIMEDOUT;
    *ret_result = result;
    return SC_OK;
}

sc_err sc_queue_wait_until_finished(sc_queue *queue, sc_events *events, sc_slice id,
                                    int64_t timeout_ms, sc_job_result **ret_result)
{
    sc__event_wait wait = {.events = events, .id = id};
    sc_err err;

    if (sc__queue_may_not_wait(queue))
        return SC_EDEADLK;
    if (!id.len || timeout_ms <= 0 || !sc_slice_eq(queue->keys.base, events->queue->keys.base))
        return SC_EINVAL;
    sc__waiter_init(&wait.waiter);
    sc__loop_run_wait(sc__client_loop(events->queue->client), join_on_loop, &wait);
    /* Only this is ours to look at: the end may come just now. */
    err = wait.joined ? wait_for_end(queue, &wait, timeout_ms, ret_result) : SC_ESTATE;
    sc__waiter_release(&wait.waiter);
    return err;
}
