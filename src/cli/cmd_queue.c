/* storychain queue …: the queues and what is in them. */
#include "app/job_shapes.h"
#include "cmds.h"
#include "connect.h"
#include "table.h"

/* A command on one queue, named by its first word, with the connection opened and closed around it. */
static int on_queue(struct cli *cli, int (*act)(struct cli *cli, sc_queue *queue))
{
    sc_client *client;
    sc_queue *queue;
    int code = cli_connect(cli, &client);

    if (code)
        return code;
    code = cli_check_queue(cli, client, sc_slice_of(cli->words[0]));
    if (!code)
        code = cli_open_queue(cli, client, sc_slice_of(cli->words[0]), &queue);
    if (!code) {
        code = act(cli, queue);
        sc_queue_free(queue);
    }
    sc_client_free(client);
    return code;
}

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
    return on_queue(cli, pause_queue);
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
    return on_queue(cli, resume_queue);
}
