/* lua/includes/deduplicate, lua/freeDedupId, and how the adder gives owners back. All modes beside BullMQ's:
 * tests/interop/dedup.test.mjs */
#include <storychain/queue.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

static sc_queue *open_queue(const sc_job_opts *defaults)
{
    const sc_queue_opts opts = {.default_opts = defaults, .skip_meta = true};
    sc_queue *queue = NULL;

    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), &opts, &queue, NULL));
    return queue;
}

static void close_queue(sc_queue *queue)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

static void assert_added(sc_queue *queue, const sc_job_opts *opts, const char *expected_id)
{
    const sc_job_spec spec = {.name = SC_S("job"), .opts = opts};
    sc_reason reason = {""};
    char *id = NULL;

    if (sc_queue_add(queue, &spec, &id, &reason))
        fail_msg("not added: %s", reason.text);
    assert_string_equal(id, expected_id);
    sc_free(id);
}

TEST(the_owner_stays_and_its_id_is_given)
{
    const sc_job_opts opts = {.dedup = {.id = SC_S("a")}};
    sc_queue *queue = open_queue(NULL);

    assert_added(queue, &opts, "1");
    assert_added(queue, &opts, "1");
    assert_added(queue, NULL, "3");

    assert_redis("GET bull:q:de:a", "1");
    assert_redis("HGET bull:q:1 deid", "a");
    assert_redis("LRANGE bull:q:wait 0 -1", "3 1");
    close_queue(queue);
}

TEST(an_owner_with_an_id_of_its_own_is_given_by_that_id)
{
    sc_queue *queue = open_queue(NULL);

    assert_added(queue, &(sc_job_opts){.id = SC_S("own"), .dedup = {.id = SC_S("a")}}, "own");
    assert_added(queue, &(sc_job_opts){.dedup = {.id = SC_S("a")}}, "own");
    assert_added(queue, &(sc_job_opts){.id = SC_S("other"), .dedup = {.id = SC_S("a")}}, "own");

    assert_redis("EXISTS bull:q:other bull:q:2", "0");
    close_queue(queue);
}

TEST(the_queues_default_options_deduplicate_too)
{
    sc_queue *queue = open_queue(&(sc_job_opts){.dedup = {.id = SC_S("a")}});

    assert_added(queue, NULL, "1");
    assert_added(queue, NULL, "1");
    assert_added(queue, &(sc_job_opts){.priority = 1}, "1");
    assert_added(queue, &(sc_job_opts){.dedup = {.id = SC_S("b")}}, "4");
    close_queue(queue);
}

TEST(a_bulk_of_several_calls_gives_each_owner_at_its_place)
{
    enum { COUNT = 700 };
    const sc_job_opts opts = {.dedup = {.id = SC_S("a")}};
    static sc_job_spec specs[COUNT];
    sc_id_list *ids = NULL;
    sc_queue *queue = open_queue(NULL);
    char expected[24];

    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job"), .opts = i % 7 == 3 ? &opts : NULL};
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, &ids, NULL, NULL));

    assert_int_equal(ids->count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        snprintf(expected, sizeof(expected), "%zu", i % 7 == 3 ? 4 : i + 1);
        assert_slice(ids->ids[i], expected);
    }
    assert_redis("LLEN bull:q:wait", "601");
    sc_id_list_free(ids);
    close_queue(queue);
}

TEST(a_key_of_another_type_is_taken_over)
{
    const sc_job_opts opts = {.dedup = {.id = SC_S("a")}};
    sc_queue *queue = open_queue(NULL);
    bool freed = true;

    test_redis(&server, "LPUSH bull:q:de:a x");
    assert_ok(sc_queue_remove_dedup(queue, SC_S("a"), SC_S("x"), &freed));
    assert_false(freed);
    assert_added(queue, &opts, "1");
    assert_added(queue, &opts, "1");
    close_queue(queue);
}

TEST(options_that_lua_cannot_read_deduplicate_as_well)
{
    const sc_job_opts opts = {.dedup = {.id = SC_S(",\"de\":{}")},
                              .extra = SC_S("{\"tm\":\"\\ud800\"}")};
    sc_queue *queue = open_queue(NULL);

    assert_added(queue, &opts, "1");
    assert_added(queue, &opts, "1");
    close_queue(queue);
}

TEST(an_owner_is_told_and_its_id_freed_only_for_it)
{
    const sc_job_opts opts = {.dedup = {.id = SC_S("a")}};
    sc_queue *queue = open_queue(NULL);
    char *owner = NULL;
    bool freed;

    assert_err(sc_queue_get_dedup_job(queue, SC_S("a"), &owner), SC_ENOJOB);
    assert_added(queue, &opts, "1");
    assert_ok(sc_queue_get_dedup_job(queue, SC_S("a"), &owner));
    assert_string_equal(owner, "1");
    assert_ok(sc_queue_remove_dedup(queue, SC_S("a"), SC_S("2"), &freed));
    assert_false(freed);
    assert_ok(sc_queue_remove_dedup(queue, SC_S("a"), SC_S("1"), &freed));
    assert_true(freed);
    assert_added(queue, &opts, "2");
    assert_ok(sc_queue_remove_dedup(queue, SC_S("a"), (sc_slice){NULL, 0}, NULL));
    assert_added(queue, &opts, "3");

    assert_err(sc_queue_remove_dedup(queue, (sc_slice){NULL, 0}, SC_S("1"), NULL), SC_EINVAL);
    assert_err(sc_queue_get_dedup_job(queue, (sc_slice){NULL, 0}, &owner), SC_EINVAL);
    sc_free(owner);
    close_queue(queue);
}
