/* Commands of tests_peer about parents and children. */
#include <storychain/flow.h>

#include "peer.h"

#include <stdlib.h>

#include "base/error.h"

static json_t *text(sc_slice s)
{
    return json_stringn(s.ptr, s.len);
}

/* {key: text}; a list of keys where children have no texts. */
static json_t *children_of(const sc_child_list *list, bool has_texts)
{
    json_t *result = has_texts ? json_object() : json_array();

    for (size_t i = 0; i < list->count; i++) {
        const sc_child *child = &list->children[i];

        if (has_texts)
            json_object_set_new(result, child->key.ptr, text(child->text));
        else
            json_array_append_new(result, text(child->key));
    }
    return result;
}

static sc_child_kind kind_of(const char *name)
{
    static const char *const names[] = {"processed", "unprocessed", "ignored", "failed"};

    for (int i = 0; name && i < 4; i++)
        if (strcmp(name, names[i]) == 0)
            return (sc_child_kind)i;
    return (sc_child_kind)-1;
}

/* {"children":…, "next":n} */
static sc_err do_dependencies(struct peer *peer, const json_t *args, json_t **ret_result,
                              sc_reason *ret_reason)
{
    sc_child_kind kind = kind_of(json_string_value(json_object_get(args, "kind")));
    sc_child_list *list = NULL;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_get_dependencies(queue, sc__json_text(args, "jobId"), kind,
                                        (uint64_t)sc__json_int(args, "from", 0),
                                        sc__json_int(args, "count", 1000), &list, ret_reason);
    if (!err)
        *ret_result =
            json_pack("{s:o, s:I}", "children",
                      children_of(list, kind == SC_CHILD_PROCESSED || kind == SC_CHILD_IGNORED),
                      "next", (json_int_t)list->next);
    sc_child_list_free(list);
    return err;
}

typedef sc_err (*getter)(sc_queue *queue, sc_slice id, sc_child_list **ret_children,
                         sc_reason *ret_reason);

static sc_err get_texts(struct peer *peer, const json_t *args, getter get, json_t **ret_result,
                        sc_reason *ret_reason)
{
    sc_child_list *list = NULL;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = get(queue, sc__json_text(args, "jobId"), &list, ret_reason);
    if (!err)
        *ret_result = children_of(list, true);
    sc_child_list_free(list);
    return err;
}

static sc_err do_children_values(struct peer *peer, const json_t *args, json_t **ret_result,
                                 sc_reason *ret_reason)
{
    return get_texts(peer, args, sc_queue_get_children_values, ret_result, ret_reason);
}

static sc_err do_ignored_failures(struct peer *peer, const json_t *args, json_t **ret_result,
                                  sc_reason *ret_reason)
{
    return get_texts(peer, args, sc_queue_get_ignored_children_failures, ret_result, ret_reason);
}

static sc_err do_remove_child_dependency(struct peer *peer, const json_t *args, json_t **ret_result,
                                         sc_reason *ret_reason)
{
    bool removed = false;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_remove_child_dependency(queue, sc__json_text(args, "jobId"), &removed,
                                               ret_reason);
    if (!err)
        *ret_result = json_boolean(removed);
    return err;
}

static sc_err do_remove_unprocessed(struct peer *peer, const json_t *args, json_t **ret_result,
                                    sc_reason *ret_reason)
{
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_queue_remove_unprocessed_children(queue, sc__json_text(args, "jobId"), ret_reason);
    if (!err)
        *ret_result = json_null();
    return err;
}

/* The trees of one command; texts and options live until it ends. */
struct trees {
    char *texts[1024];
    sc_job_opts *opts[1024];
    sc_flow_node *nodes[1024];
    size_t text_count, opts_count, node_count;
};

static sc_slice keep_text(struct trees *t, char *text)
{
    t->texts[t->text_count++] = text;
    return sc_slice_of(text);
}

static const sc_job_opts *keep_opts(struct trees *t, const json_t *object)
{
    sc_job_opts *opts = malloc(sizeof(*opts));

    *opts = peer_job_opts(object);
    t->opts[t->opts_count++] = opts;
    return opts;
}

static const sc_flow_node *read_nodes(struct trees *t, const json_t *array)
{
    size_t count = json_array_size(array);
    sc_flow_node *nodes = calloc(count + 1, sizeof(*nodes));

    t->nodes[t->node_count++] = nodes;
    for (size_t i = 0; i < count; i++) {
        const json_t *node = json_array_get(array, i);
        const json_t *data = json_object_get(node, "data");
        const json_t *children = json_object_get(node, "children");

        nodes[i] = (sc_flow_node){.queue = sc__json_text(node, "queueName"),
                                  .prefix = sc__json_text(node, "prefix"),
                                  .job = {.name = sc__json_text(node, "name")},
                                  .child_count = json_array_size(children)};
        if (data)
            nodes[i].job.data = keep_text(t, json_dumps(data, JSON_COMPACT | JSON_ENCODE_ANY));
        if (json_object_get(node, "opts"))
            nodes[i].job.opts = keep_opts(t, json_object_get(node, "opts"));
        nodes[i].children = read_nodes(t, children);
    }
    return nodes;
}

static void trees_free(struct trees *t)
{
    while (t->text_count)
        free(t->texts[--t->text_count]);
    while (t->opts_count)
        free(t->opts[--t->opts_count]);
    while (t->node_count)
        free(t->nodes[--t->node_count]);
}

/* {"flows":[…], "prefix":…, "queuesOptions":{name:{"defaultJobOptions":…}}} as for FlowProducer; with "metadata" traced. Gives all ids. */
static sc_err do_add_flows(struct peer *peer, const json_t *args, json_t **ret_result,
                           sc_reason *ret_reason)
{
    json_t *flows = json_object_get(args, "flows"), *of_queue;
    struct trees t = {.text_count = 0};
    sc_flow_queue queues[8];
    sc_flow_opts opts = {.prefix = sc__json_text(args, "prefix"), .queues = queues};
    const char *metadata = json_string_value(json_object_get(args, "metadata")), *name;
    const sc_tracer tracer = peer_tracer(metadata ? metadata : "");
    sc_id_list *ids = NULL;
    sc_err err;

    opts.tracer = metadata ? &tracer : NULL;
    json_object_foreach(json_object_get(args, "queuesOptions"), name, of_queue)
        queues[opts.queue_count++] = (sc_flow_queue){
            sc_slice_of(name), keep_opts(&t, json_object_get(of_queue, "defaultJobOptions"))};
    err = sc_flow_add_bulk(peer->client, read_nodes(&t, flows), json_array_size(flows), &opts, &ids,
                           ret_reason);
    trees_free(&t);
    if (err)
        return err;
    *ret_result = json_array();
    for (size_t i = 0; i < ids->count; i++)
        json_array_append_new(*ret_result, text(ids->ids[i]));
    sc_id_list_free(ids);
    return SC_OK;
}

static json_t *tree_of(const sc_flow_tree *tree)
{
    json_t *children = json_array();

    for (size_t i = 0; i < tree->child_count; i++)
        json_array_append_new(children, tree_of(&tree->children[i]));
    return json_pack("{s:o, s:o, s:o}", "queue", text(tree->queue), "job", peer_job(tree->job),
                     "children", children);
}

static sc_err do_get_flow(struct peer *peer, const json_t *args, json_t **ret_result,
                          sc_reason *ret_reason)
{
    const sc_flow_get_opts opts = {.prefix = sc__json_text(args, "prefix"),
                                   .depth = (int)sc__json_int(args, "depth", 0),
                                   .max_children = sc__json_int(args, "maxChildren", 0)};
    sc_flow_tree *tree = NULL;
    sc_err err = sc_flow_get(peer->client, sc__json_text(args, "queue"),
                             sc__json_text(args, "jobId"), &opts, &tree, ret_reason);

    if (!err)
        *ret_result = tree_of(tree);
    sc_flow_tree_free(tree);
    return err;
}

const struct peer_command peer_flow_commands[] = {
    {"getFlow", do_get_flow},
    {"addFlows", do_add_flows},
    {"dependencies", do_dependencies},
    {"childrenValues", do_children_values},
    {"ignoredFailures", do_ignored_failures},
    {"removeChildDependency", do_remove_child_dependency},
    {"removeUnprocessedChildren", do_remove_unprocessed},
    {NULL, NULL},
};
