/* storychain enqueue, job logs, job update: what goes into a job, and what its processor wrote down. */
#include <stdlib.h>

#include <storychain/control.h>

#include "app/job_shapes.h"
#include "base/str.h"
#include "cmds.h"
#include "connect.h"
#include "read_data.h"
#include "table.h"

static int say_job(struct cli *cli, const char *id, const char *done)
{
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:o, s:o, s:s}", "queue",
                                             text_shape(sc_slice_of(cli->words[0])), "id",
                                             text_shape(sc_slice_of(id)), "done", done));
    printf("job %s of %s is %s\n", id, cli->words[0], done);
    return EXIT_OK;
}

static int no_job(const struct cli *cli)
{
    return cli_fail(cli, EXIT_NOT_FOUND, "the queue %s has no job %s", cli->words[0],
                    cli->words[1]);
}

/* ---- enqueue ---- */

static bool read_opts(const struct cli *cli, sc_job_opts *opts)
{
    const char *id = cli_flag(cli, "id");

    *opts = SC_JOB_OPTS_INIT;
    if (id)
        opts->id = sc_slice_of(id);
    opts->lifo = cli_flag(cli, "lifo");
    if (!cli_flag_time(cli, "delay", 0, &opts->delay_ms) ||
        !cli_flag_int(cli, "priority", 0, 0, 2097151, &opts->priority) ||
        !cli_flag_int(cli, "attempts", 1, 1, 1000000, &opts->attempts) ||
        !cli_flag_time(cli, "backoff", 0, &opts->backoff.delay_ms))
        return false;
    if (opts->backoff.delay_ms)
        opts->backoff.kind = SC_BACKOFF_EXPONENTIAL;
    return true;
}

static int enqueue(struct cli *cli, sc_client *client, sc_slice data, const sc_job_opts *opts)
{
    const sc_queue_opts queue_opts = {.prefix = sc_slice_of(cli->options.prefix)};
    const sc_job_spec spec = {sc_slice_of(cli->words[1]), data, opts};
    sc_reason why = {""};
    sc_queue *queue;
    char *id = NULL;
    sc_err err = sc_queue_new(client, sc_slice_of(cli->words[0]), &queue_opts, &queue, &why);
    int code;

    if (err)
        return cli_fail_err(cli, err, &why, NULL);
    err = sc_queue_add(queue, &spec, &id, &why);
    code = err ? cli_fail_err(cli, err, &why, NULL) : say_job(cli, id, "added");
    sc_free(id);
    sc_queue_free(queue);
    return code;
}

int cmd_enqueue(struct cli *cli)
{
    AUTO_STR data = STR_MAX(CLI_DATA_MAX);
    sc_job_opts opts;
    sc_client *client;
    int code;

    if (!read_opts(cli, &opts))
        return EXIT_USAGE;
    code = cli_read_data(cli, cli->word_count > 2 ? cli->words[2] : "{}", &data);
    if (!code)
        code = cli_connect(cli, &client);
    if (code)
        return code;
    code = enqueue(cli, client, sc__str_slice(&data), &opts);
    sc_client_free(client);
    return code;
}

/* ---- job update ---- */

static int update(struct cli *cli, sc_queue *queue)
{
    AUTO_STR data = STR_MAX(CLI_DATA_MAX);
    sc_reason why = {""};
    int code = cli_read_data(cli, cli->words[2], &data);
    sc_err err;

    if (code)
        return code;
    err = sc_queue_update_data(queue, sc_slice_of(cli->words[1]), sc__str_slice(&data), &why);
    if (err == SC_ENOJOB)
        return no_job(cli);
    return err ? cli_fail_err(cli, err, &why, NULL) : say_job(cli, cli->words[1], "updated");
}

int cmd_job_update(struct cli *cli)
{
    return cli_on_queue(cli, update);
}

/* ---- job logs ---- */

static int print_rows(struct cli *cli, const sc_id_list *rows)
{
    json_t *all;

    if (!cli->json) {
        for (size_t i = 0; i < rows->count; i++)
            print_text(stdout, rows->ids[i]);
        return EXIT_OK;
    }
    all = json_array();
    for (size_t i = 0; i < rows->count; i++)
        json_array_append_new(all, text_shape(rows->ids[i]));
    return cli_print_json(cli, all);
}

static int logs(struct cli *cli, sc_queue *queue)
{
    sc_slice id = sc_slice_of(cli->words[1]);
    sc_id_list *rows;
    int64_t from, limit;
    sc_job *job;
    sc_err err;
    int code;

    if (!cli_flag_int(cli, "from", 0, 0, INT64_C(1) << 40, &from) ||
        !cli_flag_int(cli, "limit", 1000, 1, 1000, &limit))
        return EXIT_USAGE;
    err = sc_queue_get_logs(queue, id, from, from + limit - 1, &rows);
    if (err)
        return cli_fail_err(cli, err, NULL, "reading the log");
    if (rows->count) {
        code = print_rows(cli, rows);
        sc_id_list_free(rows);
        return code;
    }
    sc_id_list_free(rows);
    err = sc_queue_get_job(queue, id, &job);
    if (err == SC_ENOJOB)
        return no_job(cli);
    if (err)
        return cli_fail_err(cli, err, NULL, "reading the job");
    sc_job_free(job);
    return cli->json ? cli_print_json(cli, json_array()) : EXIT_OK;
}

int cmd_job_logs(struct cli *cli)
{
    return cli_on_queue(cli, logs);
}
