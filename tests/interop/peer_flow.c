/* Commands of tests_peer about parents and children. */
#include <storychain/flow.h>

#include "peer.h"

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

const struct peer_command peer_flow_commands[] = {
    {"dependencies", do_dependencies},
    {"childrenValues", do_children_values},
    {"ignoredFailures", do_ignored_failures},
    {"removeChildDependency", do_remove_child_dependency},
    {"removeUnprocessedChildren", do_remove_unprocessed},
    {NULL, NULL},
};
