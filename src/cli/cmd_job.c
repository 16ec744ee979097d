/* storychain job …: looking at jobs, and steering them one by one. */
#include "app/job_shapes.h"
#include "base/clock.h"
#include "cmds.h"
#include "connect.h"
#include "table.h"

#include <storychain/control.h>

struct open_queue {
    sc_client *client;
    sc_queue *queue;
};

static int open_queue(struct cli *cli, struct open_queue *open)
{
    int code = cli_connect(cli, &open->client);

    if (code)
        return code;
    code = cli_open_queue(cli, open->client, sc_slice_of(cli->words[0]), &open->queue);
    if (code)
        sc_client_free(open->client);
    return code;
}

static void close_queue(struct open_queue *open)
{
    sc_queue_free(open->queue);
    sc_client_free(open->client);
}

/* ---- show ---- */

static void print_member(const char *key, const json_t *value)
{
    AUTO_STR text = STR_MAX(1 << 20);

    if (json_is_null(value))
        return;
    if (json_is_string(value))
        sc__str_text(&text, json_string_value(value));
    else
        sc__json_write(&text, value);
    printf("%-16s ", key);
    print_text(stdout, sc__str_slice(&text));
}

static int show_job(struct cli *cli, sc_queue *queue)
{
    sc_slice id = sc_slice_of(cli->words[1]);
    sc_id_list *logs = NULL;
    sc_job_state state;
    sc_job *job;
    json_t *shape, *rows;
    sc_err err = sc_queue_get_job(queue, id, &job);

    if (err == SC_ENOJOB)
        return cli_fail(cli, EXIT_NOT_FOUND, "the queue %s has no job %s", cli->words[0],
                        cli->words[1]);
    if (err)
        return cli_fail_err(cli, err, NULL, "reading the job");
    err = sc_queue_get_state(queue, id, &state);
    if (!err)
        err = sc_queue_get_logs(queue, id, 0, 999, &logs);
    if (err) {
        sc_job_free(job);
        return cli_fail_err(cli, err, NULL, "reading the job");
    }
    shape = job_shape(job, state);
    rows = json_array();
    for (size_t i = 0; i < logs->count; i++)
        json_array_append_new(rows, text_shape(logs->ids[i]));
    json_object_set_new(shape, "logs", rows);
    sc_id_list_free(logs);
    sc_job_free(job);
    if (cli->json)
        return cli_print_json(cli, shape);
    for (void *at = json_object_iter(shape); at; at = json_object_iter_next(shape, at))
        print_member(json_object_iter_key(at), json_object_iter_value(at));
    json_decref(shape);
    return EXIT_OK;
}

int cmd_job_show(struct cli *cli)
{
    struct open_queue open;
    int code = open_queue(cli, &open);

    if (code)
        return code;
    code = show_job(cli, open.queue);
    close_queue(&open);
    return code;
}

/* ---- list ---- */

static int print_jobs(struct cli *cli, const sc_job_list *list, sc_job_state state)
{
    static const char *const heads[] = {"ID",        "NAME",   "ADDED", "FINISHED",
                                        ">ATTEMPTS", "REASON", NULL};
    AUTO_JSON *all = json_array();
    int64_t now = sc__wall_ms();
    struct table table;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; i < list->count; i++) {
        const sc_job *job = list->jobs[i];
        sc_slice reason = job->failed_reason;

        if (cli->json)
            json_array_append_new(all, job_shape(job, state));
        table_text(&table, job->id);
        table_text(&table, job->name);
        table_when(&table, job->timestamp_ms, now);
        table_when(&table, job->finished_ms, now);
        table_int(&table, job->attempts_made);
        table_text(&table, (sc_slice){reason.ptr, reason.len < 60 ? reason.len : 60});
    }
    if (cli->json)
        return cli_print_json(cli, json_incref(all));
    if (list->count)
        table_print(&table, stdout, "");
    else
        printf("%s has no %s jobs; --state shows others.\n", cli->words[0],
               sc_job_state_name(state));
    return EXIT_OK;
}

static int list_jobs(struct cli *cli, sc_client *client, sc_queue *queue)
{
    const char *name = cli_flag(cli, "state");
    sc_job_state state = sc_job_state_of(sc_slice_of(name ? name : "waiting"));
    sc_job_list *list;
    int64_t limit;
    sc_err err;
    int code;

    if (state == SC_JOB_UNKNOWN)
        return cli_fail(cli, EXIT_USAGE,
                        "--state: \"%.40s\" is none of waiting, active, delayed, prioritized, "
                        "waiting-children, "
                        "completed, failed",
                        name);
    if (!cli_flag_int(cli, "limit", 20, 1, 1000, &limit))
        return EXIT_USAGE;
    err = sc_queue_get_jobs(queue, state, 0, limit - 1, false, &list);
    if (err)
        return cli_fail_err(cli, err, NULL, "reading jobs");
    code = list->count ? EXIT_OK : cli_check_queue(cli, client, sc_slice_of(cli->words[0]));
    if (!code)
        code = print_jobs(cli, list, state);
    sc_job_list_free(list);
    return code;
}

int cmd_job_list(struct cli *cli)
{
    struct open_queue open;
    int code = open_queue(cli, &open);

    if (code)
        return code;
    code = list_jobs(cli, open.client, open.queue);
    close_queue(&open);
    return code;
}

/* ---- retry, promote, remove, cancel ---- */

static json_t *steered_shape(const struct cli *cli)
{
    json_t *shape = json_object();

    json_object_set_new(shape, "queue", text_shape(sc_slice_of(cli->words[0])));
    json_object_set_new(shape, "id", text_shape(sc_slice_of(cli->words[1])));
    json_object_set_new(shape, "done", json_string(strrchr(cli->cmd->name, ' ') + 1));
    return shape;
}

static int refused(struct cli *cli, sc_err err, const char *wrong_state)
{
    switch (err) {
    case SC_ENOJOB:
        return cli_fail(cli, EXIT_NOT_FOUND, "the queue %s has no job %s", cli->words[0],
                        cli->words[1]);
    case SC_EJOBSTATE:
        return cli_fail(cli, EXIT_REFUSED, "%s", wrong_state);
    case SC_ELOCKLOST:
        return cli_fail(cli, EXIT_REFUSED, "a worker is running job %s now", cli->words[1]);
    case SC_ESCHEDULED:
        return cli_fail(cli, EXIT_REFUSED,
                        "job %s is the next run of a schedule; remove the schedule instead",
                        cli->words[1]);
    default:
        return cli_fail_err(cli, err, NULL, NULL);
    }
}

static int steer(struct cli *cli, sc_err (*act)(sc_queue *queue, sc_slice id), const char *done,
                 const char *wrong_state)
{
    struct open_queue open;
    int code = open_queue(cli, &open);
    sc_err err;

    if (code)
        return code;
    err = act(open.queue, sc_slice_of(cli->words[1]));
    close_queue(&open);
    if (err)
        return refused(cli, err, wrong_state);
    if (cli->json)
        return cli_print_json(cli, steered_shape(cli));
    printf("job %s of %s %s\n", cli->words[1], cli->words[0], done);
    return EXIT_OK;
}

int cmd_job_retry(struct cli *cli)
{
    return steer(cli, sc_queue_retry, "waits to be run again",
                 "only failed and completed jobs can be retried");
}

int cmd_job_promote(struct cli *cli)
{
    return steer(cli, sc_queue_promote, "waits to be run now", "only delayed jobs can be promoted");
}

int cmd_job_remove(struct cli *cli)
{
    return steer(cli, sc_queue_remove, "is removed", "the job can't be removed in its state");
}

static int say_cancelled(struct cli *cli, sc_cancel_result result)
{
    static const char *const told[] = {
        [SC_CANCELLED] = "is cancelled: it has failed and will not run",
        [SC_CANCEL_TOLD] = "runs now, and its worker is told to stop",
        [SC_CANCEL_NOTED] = "runs in a worker that can't be told: it will not be tried again",
        [SC_CANCEL_POSTPONED] = "will not run: it fails when its turn comes",
    };
    json_t *shape;

    if (!cli->json) {
        printf("job %s of %s %s\n", cli->words[1], cli->words[0], told[result]);
        return EXIT_OK;
    }
    shape = steered_shape(cli);
    json_object_set_new(shape, "result", json_string(sc_cancel_result_name(result)));
    return cli_print_json(cli, shape);
}

int cmd_job_cancel(struct cli *cli)
{
    const char *reason = cli_flag(cli, "reason");
    sc_cancel_result result;
    struct open_queue open;
    sc_reason why = {""};
    int code = open_queue(cli, &open);
    sc_err err;

    if (code)
        return code;
    err = sc_queue_cancel(open.queue, sc_slice_of(cli->words[1]), sc_slice_of(reason ? reason : ""),
                          &result, &why);
    close_queue(&open);
    if (err == SC_EINVAL || err == SC_ETOOBIG)
        return cli_fail(cli, EXIT_USAGE, "%s", why.text);
    return err ? refused(cli, err, "the job is finished") : say_cancelled(cli, result);
}
