/* storychain queue …: the queues and what is in them. */
#include <storychain/control.h>
#include <storychain/inspect.h>

#include "app/job_shapes.h"
#include "cmds.h"
#include "connect.h"
#include "table.h"

static int add_row(struct cli *cli, sc_client *client, sc_slice name, struct table *table,
                   json_t *all)
{
    sc_queue_counts counts;
    sc_queue *queue;
    int code = cli_open_queue(cli, client, name, &queue);
    sc_err err;

    if (code)
        return code;
    err = sc_queue_get_counts(queue, &counts);
    sc_queue_free(queue);
    if (err)
        return cli_fail_err(cli, err, NULL, "counting jobs");
    json_array_append_new(all, queue_shape(name, &counts));
    table_text(table, name);
    for (int state = 0; state < SC_JOB_UNKNOWN; state++)
        table_int(table, counts.by_state[state]);
    table_text(table, counts.paused ? SC_S("paused") : SC_S(""));
    return EXIT_OK;
}

static int list_queues(struct cli *cli, sc_client *client, const sc_id_list *names)
{
    static const char *const heads[] = {
        "QUEUE",       ">WAITING",   ">ACTIVE", ">DELAYED", ">PRIORITIZED",
        ">W-CHILDREN", ">COMPLETED", ">FAILED", "",         NULL};
    AUTO_JSON *all = json_array();
    struct table table;
    int code = EXIT_OK;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; !code && i < names->count; i++)
        code = add_row(cli, client, names->ids[i], &table, all);
    if (code)
        return code;
    if (cli->json)
        return cli_print_json(cli, json_incref(all));
    table_print(&table, stdout, "There are no queues yet; the first job makes one.");
    return EXIT_OK;
}

int cmd_queue_list(struct cli *cli)
{
    sc_id_list *names;
    sc_client *client;
    int code = cli_connect(cli, &client);
    sc_err err;

    if (code)
        return code;
    err = sc_queue_discover(client, sc_slice_of(cli->options.prefix), &names);
    if (err) {
        code = cli_fail_err(cli, err, NULL, "looking for queues");
    } else {
        code = list_queues(cli, client, names);
        sc_id_list_free(names);
    }
    sc_client_free(client);
    return code;
}

static int say_paused(struct cli *cli, bool paused)
{
    json_t *shape = json_object();

    json_object_set_new(shape, "name", text_shape(sc_slice_of(cli->words[0])));
    json_object_set_new(shape, "paused", json_boolean(paused));
    return cli_print_json(cli, shape);
}

static int pause_queue(struct cli *cli, sc_queue *queue)
{
    sc_err err = sc_queue_pause(queue);

    if (err)
        return cli_fail_err(cli, err, NULL, NULL);
    if (cli->json)
        return say_paused(cli, true);
    printf("%s is paused: its jobs wait until `storychain queue resume %s`\n", cli->words[0],
           cli->words[0]);
    return EXIT_OK;
}

int cmd_queue_pause(struct cli *cli)
{
    return cli_on_queue(cli, pause_queue);
}

static int resume_queue(struct cli *cli, sc_queue *queue)
{
    sc_err err = sc_queue_resume(queue);

    if (err)
        return cli_fail_err(cli, err, NULL, NULL);
    if (cli->json)
        return say_paused(cli, false);
    printf("%s is handing out jobs again\n", cli->words[0]);
    return EXIT_OK;
}

int cmd_queue_resume(struct cli *cli)
{
    return cli_on_queue(cli, resume_queue);
}

/* ---- show ---- */

static json_t *number_or_null(int64_t number)
{
    return number ? json_integer(number) : json_null();
}

static json_t *limit_shape(const sc_queue_meta *meta)
{
    return meta->max ? json_pack("{s:I, s:I}", "max", (json_int_t)meta->max, "duration_ms",
                                 (json_int_t)meta->duration_ms)
                     : json_null();
}

static json_t *whole_shape(const struct cli *cli, const sc_queue_counts *counts,
                           const sc_queue_meta *meta, int64_t rest_ms)
{
    json_t *shape = queue_shape(sc_slice_of(cli->words[0]), counts);

    json_object_set_new(shape, "concurrency", number_or_null(meta->concurrency));
    json_object_set_new(shape, "rate_limit", limit_shape(meta));
    json_object_set_new(shape, "limited_for_ms", json_integer(rest_ms));
    json_object_set_new(shape, "max_events", number_or_null(meta->max_events));
    json_object_set_new(shape, "version",
                        meta->version.len ? text_shape(meta->version) : json_null());
    return shape;
}

static int print_queue(struct cli *cli, const sc_queue_counts *counts, const sc_queue_meta *meta,
                       int64_t rest_ms)
{
    if (cli->json)
        return cli_print_json(cli, whole_shape(cli, counts, meta, rest_ms));
    printf("%-17s %s%s\n", "name", cli->words[0], counts->paused ? ", paused" : "");
    for (sc_job_state state = 0; state < SC_JOB_UNKNOWN; state++)
        printf("%-17s %lld\n", sc_job_state_name(state), (long long)counts->by_state[state]);
    if (meta->concurrency)
        printf("%-17s %lld jobs at once, over all workers\n", "concurrency",
               (long long)meta->concurrency);
    if (meta->max)
        printf("%-17s %lld jobs in %lld ms\n", "rate limit", (long long)meta->max,
               (long long)meta->duration_ms);
    if (rest_ms)
        printf("%-17s no job is started for %lld ms\n", "limited", (long long)rest_ms);
    return EXIT_OK;
}

static int show_queue(struct cli *cli, sc_queue *queue)
{
    sc_queue_meta *meta = NULL;
    sc_queue_counts counts;
    sc_reason why = {""};
    int64_t rest_ms = 0;
    sc_err err = sc_queue_get_counts(queue, &counts);
    int code;

    if (!err)
        err = sc_queue_get_meta(queue, &meta, &why);
    if (!err)
        err = sc_queue_get_rate_limit_ttl(queue, 0, &rest_ms, &why);
    code = err ? cli_fail_err(cli, err, &why, "looking at the queue")
               : print_queue(cli, &counts, meta, rest_ms);
    sc_free(meta);
    return code;
}

int cmd_queue_show(struct cli *cli)
{
    return cli_on_queue(cli, show_queue);
}
