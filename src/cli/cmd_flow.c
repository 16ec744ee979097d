/* storychain flow show: a job with the jobs that it waits for, as a tree. */
#include "app/job_shapes.h"
#include "cmds.h"
#include "connect.h"
#include "table.h"

#include <storychain/flow.h>

enum { DEPTH_MAX = 100, CHILDREN_MAX = 1000, LINE_MAX_BYTES = 64 * 1024 };

/* In which state a node's job is: asked at its own queue, by the qualified name that the node has. */
static sc_job_state state_of(sc_client *client, const sc_flow_tree *node)
{
    sc_job_state state = SC_JOB_UNKNOWN;
    sc_slice qualified = node->queue;
    size_t at = qualified.len;
    sc_queue *queue;

    while (at > 0 && qualified.ptr[at - 1] != ':')
        at--;
    if (at < 2)
        return SC_JOB_UNKNOWN;
    const sc_queue_opts opts = {.prefix = {qualified.ptr, at - 1}, .skip_meta = true};

    if (sc_queue_new(client, (sc_slice){qualified.ptr + at, qualified.len - at}, &opts, &queue,
                     NULL))
        return SC_JOB_UNKNOWN;
    if (sc_queue_get_state(queue, node->job->id, &state))
        state = SC_JOB_UNKNOWN;
    sc_queue_free(queue);
    return state;
}

static json_t *shape_of(sc_client *client, const sc_flow_tree *node)
{
    json_t *shape = job_shape(node->job, state_of(client, node));
    json_t *children = json_array();

    json_object_set_new(shape, "queue", text_shape(node->queue));
    for (size_t i = 0; i < node->child_count; i++)
        json_array_append_new(children, shape_of(client, &node->children[i]));
    json_object_set_new(shape, "children", children);
    return shape;
}

static void print_tree(sc_client *client, const sc_flow_tree *node, int level)
{
    AUTO_STR line = STR_MAX(LINE_MAX_BYTES);
    sc_slice reason = node->job->failed_reason;

    for (int i = 0; i < level; i++)
        sc__str_text(&line, "  ");
    sc__str_append(&line, node->job->id);
    sc__str_text(&line, "  ");
    sc__str_append(&line, node->job->name);
    sc__str_text(&line, "  ");
    sc__str_append(&line, node->queue);
    sc__str_text(&line, "  ");
    sc__str_text(&line, sc_job_state_name(state_of(client, node)));
    if (reason.len) {
        sc__str_text(&line, ": ");
        sc__str_append(&line, reason);
    }
    print_text(stdout, sc__str_slice(&line));
    for (size_t i = 0; i < node->child_count; i++)
        print_tree(client, &node->children[i], level + 1);
}

static int show(struct cli *cli, sc_client *client, int64_t depth, int64_t children)
{
    const sc_flow_get_opts opts = {
        .prefix = sc_slice_of(cli->options.prefix), .depth = (int)depth, .max_children = children};
    sc_reason reason = {""};
    sc_flow_tree *tree;
    sc_err err = sc_flow_get(client, sc_slice_of(cli->words[0]), sc_slice_of(cli->words[1]), &opts,
                             &tree, &reason);
    int code = EXIT_OK;

    if (err == SC_ENOJOB)
        return cli_fail(cli, EXIT_NOT_FOUND, "the queue %s has no job %s", cli->words[0],
                        cli->words[1]);
    if (err)
        return cli_fail_err(cli, err, &reason, "reading the flow");
    if (cli->json)
        code = cli_print_json(cli, shape_of(client, tree));
    else
        print_tree(client, tree, 0);
    sc_flow_tree_free(tree);
    return code;
}

int cmd_flow_show(struct cli *cli)
{
    int64_t depth, children;
    sc_client *client;
    int code;

    if (!cli_flag_int(cli, "depth", 10, 1, DEPTH_MAX, &depth) ||
        !cli_flag_int(cli, "children", 20, 1, CHILDREN_MAX, &children))
        return EXIT_USAGE;
    code = cli_connect(cli, &client);
    if (code)
        return code;
    code = cli_check_queue(cli, client, sc_slice_of(cli->words[0]));
    if (!code)
        code = show(cli, client, depth, children);
    sc_client_free(client);
    return code;
}
