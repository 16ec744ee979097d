/* queue/children.c, ops/op_children.c, ops/op_detach.c, lua/{removeChildDependency,removeChildren}; and trees of more jobs than
 * lua/removeJob takes a call */
#include <storychain/control.h>
#include <storychain/flow.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

static void open_queue(void)
{
    const sc_queue_opts opts = {.skip_meta = true};

    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), &opts, &queue, NULL));
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

static void redis(const char *fmt, ...) SC_PRINTF(1, 2);

static void redis(const char *fmt, ...)
{
    char command[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    test_redis(&server, command);
}

/* A job that waits for its children, itself a child of `parent_key` ("": of none). */
static void make_parent(const char *id, const char *parent_key)
{
    redis("HSET bull:q:%s name parent data {} opts {} timestamp 1", id);
    redis("ZADD bull:q:waiting-children 1 %s", id);
    if (!parent_key[0])
        return;
    redis("HSET bull:q:%s parentKey %s", id, parent_key);
    redis("SADD %s:dependencies bull:q:%s", parent_key, id);
}

static void add_children(const char *parent_id, size_t count)
{
    const sc_job_opts opts = {.parent = {sc_slice_of(parent_id), SC_S("bull:q")}};
    sc_job_spec *specs = calloc(count, sizeof(*specs));

    for (size_t i = 0; i < count; i++)
        specs[i] = (sc_job_spec){.name = SC_S("child"), .opts = &opts};
    assert_ok(sc_queue_add_bulk(queue, specs, count, NULL, NULL, NULL));
    free(specs);
}

static sc_child_list *dependencies(sc_child_kind kind, uint64_t from, int64_t count)
{
    sc_child_list *list = NULL;
    sc_reason reason = {""};

    if (sc_queue_get_dependencies(queue, SC_S("p"), kind, from, count, &list, &reason))
        fail_msg("no dependencies: %s", reason.text);
    return list;
}

TEST(each_kind_of_child_is_read_with_its_text)
{
    sc_child_list *list;

    open_queue();
    redis("HSET bull:q:p:processed bull:a:1 {\"n\":1}");
    redis("SADD bull:q:p:dependencies x:{b}:2");
    redis("HSET bull:q:p:failed bull:c:3 broken");
    redis("ZADD bull:q:p:unsuccessful 1 bull:d:4");

    list = dependencies(SC_CHILD_PROCESSED, 0, 10);
    assert_int_equal(list->count, 1);
    assert_int_equal(list->next, 0);
    assert_slice(list->children[0].key, "bull:a:1");
    assert_slice(list->children[0].queue, "bull:a");
    assert_slice(list->children[0].id, "1");
    assert_string_equal(list->children[0].text.ptr, "{\"n\":1}");
    sc_child_list_free(list);
    list = dependencies(SC_CHILD_UNPROCESSED, 0, 10);
    assert_slice(list->children[0].queue, "x:{b}");
    assert_int_equal(list->children[0].text.len, 0);
    sc_child_list_free(list);
    list = dependencies(SC_CHILD_IGNORED, 0, 10);
    assert_slice(list->children[0].text, "broken");
    sc_child_list_free(list);
    list = dependencies(SC_CHILD_FAILED, 0, 10);
    assert_slice(list->children[0].key, "bull:d:4");
    sc_child_list_free(list);
    close_queue();
}

static size_t count_pages(sc_child_kind kind, int64_t page, size_t *ret_children)
{
    size_t pages = 0, children = 0;
    uint64_t from = 0;

    do {
        sc_child_list *list = dependencies(kind, from, page);

        pages++;
        children += list->count;
        from = list->next;
        sc_child_list_free(list);
    } while (from);
    *ret_children = children;
    return pages;
}

TEST(many_children_come_in_pages)
{
    size_t children;

    open_queue();
    make_parent("p", "");
    add_children("p", 1000);
    for (int i = 0; i < 25; i++)
        redis("ZADD bull:q:p:unsuccessful %d bull:q:f%d", i, i);

    assert_true(count_pages(SC_CHILD_UNPROCESSED, 100, &children) > 3);
    assert_int_equal(children, 1000);
    assert_int_equal(count_pages(SC_CHILD_FAILED, 10, &children), 3);
    assert_int_equal(children, 25);
    close_queue();
}

TEST(a_job_without_children_has_empty_lists)
{
    sc_child_list *list;

    open_queue();

    for (int kind = SC_CHILD_PROCESSED; kind <= SC_CHILD_FAILED; kind++) {
        list = dependencies((sc_child_kind)kind, 0, 10);
        assert_int_equal(list->count, 0);
        sc_child_list_free(list);
    }
    assert_ok(sc_queue_get_children_values(queue, SC_S("p"), &list, NULL));
    assert_int_equal(list->count, 0);
    sc_child_list_free(list);
    close_queue();
}

TEST(all_values_come_once_by_their_keys)
{
    sc_child_list *list = NULL;

    open_queue();
    for (int i = 1999; i >= 1000; i--)
        redis("HSET bull:q:p:processed bull:q:%d %d", i, i);
    redis("HSET bull:q:p:failed bull:q:9 nine bull:q:10 ten");

    assert_ok(sc_queue_get_children_values(queue, SC_S("p"), &list, NULL));
    assert_int_equal(list->count, 1000);
    for (size_t i = 0; i < list->count; i++) {
        char expected[32];

        snprintf(expected, sizeof(expected), "%zu", 1000 + i);
        assert_slice(list->children[i].id, expected);
        assert_slice(list->children[i].text, expected);
    }
    sc_child_list_free(list);
    assert_ok(sc_queue_get_ignored_children_failures(queue, SC_S("p"), &list, NULL));
    assert_int_equal(list->count, 2);
    assert_slice(list->children[0].text, "ten");
    sc_child_list_free(list);
    close_queue();
}

TEST(bad_questions_and_keys_of_other_types_are_refused)
{
    sc_child_list *list = NULL;
    const sc_slice p = SC_S("p"), none = SC_S("");
    sc_reason why = {""};

    open_queue();
    redis("SET bull:q:p:processed text");

    assert_err(sc_queue_get_dependencies(queue, none, SC_CHILD_FAILED, 0, 1, &list, &why),
               SC_EINVAL);
    assert_err(sc_queue_get_dependencies(queue, p, (sc_child_kind)9, 0, 1, &list, &why), SC_EINVAL);
    assert_err(sc_queue_get_dependencies(queue, p, SC_CHILD_FAILED, 0, 0, &list, &why), SC_EINVAL);
    assert_err(sc_queue_get_dependencies(queue, p, SC_CHILD_FAILED, 0, 1001, &list, &why),
               SC_EINVAL);
    assert_err(sc_queue_get_dependencies(queue, p, SC_CHILD_FAILED, UINT64_MAX, 1, &list, &why),
               SC_EINVAL);
    assert_err(sc_queue_get_dependencies(queue, p, SC_CHILD_PROCESSED, 0, 1, &list, &why),
               SC_EREPLY);
    assert_err(sc_queue_get_children_values(queue, p, &list, &why), SC_EREPLY);
    assert_non_null(strstr(why.text, "WRONGTYPE"));
    assert_err(sc_queue_get_children_values(queue, none, &list, &why), SC_EINVAL);
    assert_err(sc_queue_remove_child_dependency(queue, none, NULL, &why), SC_EINVAL);
    assert_err(sc_queue_remove_unprocessed_children(queue, none, &why), SC_EINVAL);
    close_queue();
}

TEST(the_last_child_that_leaves_its_parent_releases_it)
{
    bool removed = false;

    open_queue();
    make_parent("p", "");
    add_children("p", 2);

    assert_ok(sc_queue_remove_child_dependency(queue, SC_S("1"), &removed, NULL));
    assert_true(removed);
    assert_redis("HEXISTS bull:q:1 parentKey", "0");
    assert_redis("ZCARD bull:q:waiting-children", "1");
    assert_ok(sc_queue_remove_child_dependency(queue, SC_S("2"), NULL, NULL));
    assert_redis("LRANGE bull:q:wait 0 -1", "2 1 p");
    assert_ok(sc_queue_remove_child_dependency(queue, SC_S("2"), &removed, NULL));
    assert_false(removed);
    close_queue();
}

TEST(a_dependency_that_is_not_there_is_not_removed)
{
    bool removed = true;

    open_queue();
    make_parent("p", "");
    add_children("p", 1);

    assert_err(sc_queue_remove_child_dependency(queue, SC_S("gone"), NULL, NULL), SC_ENOJOB);
    redis("DEL bull:q:p:dependencies");
    assert_ok(sc_queue_remove_child_dependency(queue, SC_S("1"), &removed, NULL));
    assert_false(removed);
    redis("DEL bull:q:p");
    assert_err(sc_queue_remove_child_dependency(queue, SC_S("1"), NULL, NULL), SC_EPARENT);
    close_queue();
}

TEST(unprocessed_children_are_removed_in_slices_but_those_that_run_or_have_failed)
{
    open_queue();
    make_parent("p", "");
    make_parent("mid", "bull:q:p");
    add_children("mid", 1300);
    add_children("p", 1300);
    redis("SET bull:q:1:lock token");    /* below mid, which goes */
    redis("SET bull:q:2000:lock token"); /* below p */
    redis("ZADD bull:q:failed 1 2001");
    redis("HSET bull:q:p:processed bull:q:old 1");

    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));

    assert_redis("SCARD bull:q:p:dependencies", "2");
    assert_redis("EXISTS bull:q:mid bull:q:mid:dependencies bull:q:2 bull:q:1301", "0");
    assert_redis("EXISTS bull:q:1 bull:q:2000 bull:q:2001 bull:q:p:processed", "4");
    assert_redis("LLEN bull:q:wait", "3");
    close_queue();
}

TEST(a_parent_is_run_when_all_its_unprocessed_children_are_removed)
{
    open_queue();
    make_parent("p", "");
    add_children("p", 3);

    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));

    assert_redis("LRANGE bull:q:wait 0 -1", "p");
    assert_redis("EXISTS bull:q:1 bull:q:2 bull:q:3", "0");
    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));
    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("gone"), NULL));
    close_queue();
}

TEST(children_that_are_their_own_parents_end)
{
    open_queue();
    make_parent("p", "");
    make_parent("mid", "bull:q:p");
    redis("SADD bull:q:mid:dependencies bull:q:p bull:q:mid");
    redis("SADD bull:q:p:dependencies bull:q:p");

    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));

    assert_redis("EXISTS bull:q:mid", "0");
    close_queue();
}

TEST(a_tree_larger_than_a_call_takes_is_removed_whole)
{
    open_queue();
    make_parent("p", "");
    make_parent("mid", "bull:q:p");
    add_children("mid", 1300);

    assert_ok(sc_queue_remove(queue, SC_S("p")));

    assert_redis("KEYS bull:q:mid*", "");
    assert_redis("EXISTS bull:q:p bull:q:wait bull:q:waiting-children bull:q:1 bull:q:1300", "0");
    close_queue();
}

TEST(a_parent_is_removed_without_its_children)
{
    const sc_remove_opts keep = {.keep_children = true};

    open_queue();
    make_parent("p", "");
    add_children("p", 3);

    assert_ok(sc_queue_remove_with(queue, SC_S("p"), &keep, NULL));
    assert_redis("EXISTS bull:q:p bull:q:p:dependencies bull:q:waiting-children", "0");
    assert_redis("LLEN bull:q:wait", "3");
    assert_err(sc_queue_remove_with(queue, SC_S("p"), &keep, NULL), SC_ENOJOB);
    assert_err(sc_queue_remove_with(queue, SC_S(""), &keep, NULL), SC_EINVAL);
    close_queue();
}

TEST(a_child_with_more_children_than_a_call_looks_at_is_removed_whole)
{
    open_queue();
    make_parent("p", "");
    make_parent("mid", "bull:q:p");
    add_children("mid", 1300);

    assert_ok(sc_queue_remove_unprocessed_children(queue, SC_S("p"), NULL));

    assert_redis("EXISTS bull:q:mid bull:q:mid:dependencies bull:q:1 bull:q:1300", "0");
    assert_redis("LRANGE bull:q:wait 0 -1", "p");
    close_queue();
}
