/* The smallest worker: adds one job to the queue "hello" and runs it. Needs a Redis at 127.0.0.1:6379. */
#include <stdio.h>
#include <storychain/queue.h>
#include <storychain/worker.h>

static sc_outcome greet(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    printf("job %s: %s\n", job->id.ptr, job->data.ptr);
    return sc_run_return(run, SC_S("{\"greeted\":true}"));
}

int main(void)
{
    sc_client *client;
    sc_queue *queue;
    sc_worker *worker;
    sc_worker_opts opts = {.concurrency = 4};
    sc_job_spec spec = {.name = SC_S("greet"), .data = SC_S("{\"name\":\"Ada\"}")};

    if (sc_client_new(NULL, &client, NULL) ||
        sc_queue_new(client, SC_S("hello"), NULL, &queue, NULL) ||
        sc_worker_new(client, SC_S("hello"), &opts, &worker, NULL) ||
        sc_worker_handle(worker, SC_S("greet"), greet, NULL) || sc_worker_start(worker) ||
        sc_queue_add(queue, &spec, NULL, NULL))
        return 1;
    getchar(); /* until Enter */
    sc_worker_free(worker);
    sc_queue_free(queue);
    sc_client_free(client);
    return 0;
}
