/* Jobs taken by hand: prints the queue "hello", a job a line, and completes each, until none came for five seconds. Needs a Redis at
 * 127.0.0.1:6379. */
#include <stdio.h>
#include <storychain/take.h>

int main(void)
{
    sc_client *client;
    sc_worker *worker;
    sc_run *run = NULL;

    if (sc_client_new(NULL, &client, NULL) ||
        sc_worker_new(client, SC_S("hello"), NULL, &worker, NULL))
        return 1;
    while (run || sc_worker_take(worker, 5000, &run) == SC_OK) {
        sc_run *next = NULL;

        printf("%s %s\n", sc_run_job(run)->name.ptr, sc_run_job(run)->data.ptr);
        if (sc_run_end(run, SC_DONE, &next))
            fprintf(stderr, "somebody else has that job now\n");
        run = next;
    }
    sc_worker_free(worker);
    sc_client_free(client);
    return 0;
}
