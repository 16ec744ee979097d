/* A flow: a book is bound when its chapters are rendered. Two queues, "chapters" and "books". Needs a Redis at 127.0.0.1:6379. */
#include <stdio.h>
#include <storychain/flow.h>
#include <storychain/worker.h>

static sc_outcome render(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    printf("rendering %s\n", job->data.ptr);
    return sc_run_return(run, job->data);
}

static sc_outcome bind_book(sc_run *run, const sc_job *job, void *user)
{
    sc_child_list *chapters;

    (void)user;
    if (sc_run_get_children_values(run, &chapters))
        return sc_run_fail(run, SC_FAILED, "the chapters can't be read");
    printf("binding %s of %zu chapters\n", job->data.ptr, chapters->count);
    sc_child_list_free(chapters);
    return SC_DONE;
}

static sc_err add_book(sc_client *client)
{
    /* A chapter that fails for good fails the book. */
    const sc_job_opts opts = {.attempts = 3, .on_failure = SC_ON_FAILURE_FAIL};
    const sc_flow_node chapters[] = {
        {.queue = SC_S("chapters"), .job = {SC_S("render"), SC_S("\"The Lamp\""), &opts}},
        {.queue = SC_S("chapters"), .job = {SC_S("render"), SC_S("\"The Storm\""), &opts}},
    };
    const sc_flow_node book = {.queue = SC_S("books"),
                               .job = {SC_S("bind"), SC_S("\"The Lighthouse\""), NULL},
                               .children = chapters,
                               .child_count = 2};

    return sc_flow_add(client, &book, NULL, NULL, NULL);
}

int main(void)
{
    sc_client *client;
    sc_worker *renderer, *binder;

    if (sc_client_new(NULL, &client, NULL) ||
        sc_worker_new(client, SC_S("chapters"), NULL, &renderer, NULL) ||
        sc_worker_new(client, SC_S("books"), NULL, &binder, NULL) ||
        sc_worker_handle(renderer, SC_S("render"), render, NULL) ||
        sc_worker_handle(binder, SC_S("bind"), bind_book, NULL) || sc_worker_start(renderer) ||
        sc_worker_start(binder) || add_book(client))
        return 1;
    getchar(); /* until Enter */
    sc_worker_free(renderer);
    sc_worker_free(binder);
    sc_client_free(client);
    return 0;
}
