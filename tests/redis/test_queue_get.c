/* queue/get.c, queue/discover.c, ops/op_get.c */
#include <storychain/queue.h>

#include <stdatomic.h>

#include "support/server.h"
#include "support/test.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;

static void open_queue(void)
{
    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
}

static void close_queue(void)
{
    sc_queue_free(queue);
    sc_client_free(client);
}

static void add(const char *name, const sc_job_opts *opts)
{
    const sc_job_spec spec = {.name = sc_slice_of(name), .data = SC_S("{\"a\":1}"), .opts = opts};

    assert_ok(sc_queue_add(queue, &spec, NULL, NULL));
}

static void add_waiting(int count)
{
    for (int i = 0; i < count; i++)
        add("job", NULL);
}

/* The ids of a page, joined with spaces. */
static const char *ids(sc_job_state state, int64_t start, int64_t end, bool ascending)
{
    static char out[8192];
    sc_job_list *list = NULL;

    out[0] = '\0';
    assert_ok(sc_queue_get_jobs(queue, state, start, end, ascending, &list));
    for (size_t i = 0; i < list->count; i++) {
        if (i)
            strcat(out, " ");
        strcat(out, list->jobs[i]->id.ptr);
    }
    sc_job_list_free(list);
    return out;
}

static sc_job_state state_of(const char *id)
{
    sc_job_state state;

    assert_ok(sc_queue_get_state(queue, sc_slice_of(id), &state));
    return state;
}

TEST(a_job_is_read_as_it_was_added)
{
    const sc_job_opts opts = {.attempts = 3, .priority = 7, .timestamp_ms = 1700000000000};
    sc_job *job = NULL;

    open_queue();
    add("email", &opts);
    assert_ok(sc_queue_get_job(queue, SC_S("1"), &job));

    assert_slice(job->id, "1");
    assert_slice(job->name, "email");
    assert_slice(job->data, "{\"a\":1}");
    assert_int_equal(job->attempts, 3);
    assert_int_equal(job->priority, 7);
    assert_int_equal(job->timestamp_ms, 1700000000000);
    assert_int_equal(job->finished_ms, 0);
    sc_job_free(job);
    close_queue();
}

TEST(a_job_that_is_not_there_is_an_error_of_its_own)
{
    sc_job *job = NULL;

    open_queue();
    assert_err(sc_queue_get_job(queue, SC_S("1"), &job), SC_ENOJOB);
    assert_err(sc_queue_get_job(queue, SC_S(""), &job), SC_EINVAL);
    test_redis(&server, "SET bull:q:2 text");
    assert_err(sc_queue_get_job(queue, SC_S("2"), &job), SC_ELAYOUT);

    assert_null(job);
    close_queue();
}

TEST(a_job_is_found_in_every_state)
{
    open_queue();
    add("w", NULL);
    add("d", &(sc_job_opts){.delay_ms = 60000});
    add("p", &(sc_job_opts){.priority = 1});
    test_redis(&server, "LPUSH bull:q:active a");
    test_redis(&server, "ZADD bull:q:completed 1 c");
    test_redis(&server, "ZADD bull:q:failed 1 f");
    test_redis(&server, "ZADD bull:q:waiting-children 1 wc");
    test_redis(&server, "LPUSH bull:q:paused old");

    assert_int_equal(state_of("1"), SC_JOB_WAITING);
    assert_int_equal(state_of("2"), SC_JOB_DELAYED);
    assert_int_equal(state_of("3"), SC_JOB_PRIORITIZED);
    assert_int_equal(state_of("a"), SC_JOB_ACTIVE);
    assert_int_equal(state_of("c"), SC_JOB_COMPLETED);
    assert_int_equal(state_of("f"), SC_JOB_FAILED);
    assert_int_equal(state_of("wc"), SC_JOB_WAITING_CHILDREN);
    assert_int_equal(state_of("old"), SC_JOB_WAITING);
    assert_int_equal(state_of("nowhere"), SC_JOB_UNKNOWN);
    close_queue();
}

TEST(names_of_states_go_both_ways)
{
    for (int i = 0; i < SC_JOB_STATE_COUNT; i++)
        assert_int_equal(sc_job_state_of(sc_slice_of(sc_job_state_name((sc_job_state)i))), i);
    assert_int_equal(sc_job_state_of(SC_S("asleep")), SC_JOB_UNKNOWN);
    assert_string_equal(sc_job_state_name((sc_job_state)99), "unknown");
}

TEST(counts_tell_every_state_and_the_pause)
{
    sc_queue_counts counts;

    open_queue();
    add_waiting(3);
    add("d", &(sc_job_opts){.delay_ms = 60000});
    add("p", &(sc_job_opts){.priority = 1});
    test_redis(&server, "ZADD bull:q:completed 1 c 2 d");
    assert_ok(sc_queue_get_counts(queue, &counts));

    assert_int_equal(counts.by_state[SC_JOB_WAITING], 3);
    assert_int_equal(counts.by_state[SC_JOB_DELAYED], 1);
    assert_int_equal(counts.by_state[SC_JOB_PRIORITIZED], 1);
    assert_int_equal(counts.by_state[SC_JOB_COMPLETED], 2);
    assert_int_equal(counts.by_state[SC_JOB_FAILED], 0);
    assert_false(counts.paused);
    assert_ok(sc_queue_pause(queue));
    assert_ok(sc_queue_get_counts(queue, &counts));
    assert_true(counts.paused);
    close_queue();
}

/* What a callback was told. */
struct told {
    atomic_bool came;
    sc_err err;
    bool has_counts;
    sc_queue_counts counts;
};

static void on_counts(void *user, sc_err err, const sc_queue_counts *counts)
{
    struct told *told = user;

    told->err = err;
    told->has_counts = counts != NULL;
    if (counts)
        told->counts = *counts;
    atomic_store(&told->came, true);
}

TEST(counts_come_by_a_callback_too)
{
    struct told good = {.came = false}, bad = {.came = false};

    open_queue();
    add_waiting(3);
    assert_ok(sc_queue_get_counts_async(queue, on_counts, &good));
    wait_until(good.came);
    test_redis(&server, "SET bull:q:failed text");
    assert_ok(sc_queue_get_counts_async(queue, on_counts, &bad));
    wait_until(bad.came);

    assert_ok(good.err);
    assert_int_equal(good.counts.by_state[SC_JOB_WAITING], 3);
    assert_err(bad.err, SC_EREPLY);
    assert_false(bad.has_counts);
    close_queue();
}

TEST(pages_of_a_list_go_both_ways)
{
    open_queue();
    add_waiting(5);

    assert_string_equal(ids(SC_JOB_WAITING, 0, -1, true), "1 2 3 4 5");
    assert_string_equal(ids(SC_JOB_WAITING, 0, -1, false), "5 4 3 2 1");
    assert_string_equal(ids(SC_JOB_WAITING, 1, 2, true), "2 3");
    assert_string_equal(ids(SC_JOB_WAITING, 1, 2, false), "4 3");
    assert_string_equal(ids(SC_JOB_WAITING, 3, 99, true), "4 5");
    assert_string_equal(ids(SC_JOB_WAITING, 5, 9, true), "");
    assert_string_equal(ids(SC_JOB_WAITING, 9, 7, true), "");
    assert_string_equal(ids(SC_JOB_ACTIVE, 0, -1, true), "");
    close_queue();
}

TEST(pages_of_a_set_go_both_ways)
{
    open_queue();
    for (int i = 1; i <= 4; i++)
        add("d", &(sc_job_opts){.delay_ms = 60000 * i});

    assert_string_equal(ids(SC_JOB_DELAYED, 0, -1, true), "1 2 3 4");
    assert_string_equal(ids(SC_JOB_DELAYED, 0, 1, false), "4 3");
    assert_string_equal(ids(SC_JOB_DELAYED, 2, -1, true), "3 4");
    close_queue();
}

TEST(a_page_has_at_most_a_thousand_jobs)
{
    enum { COUNT = 1200 };
    sc_job_spec specs[COUNT];
    sc_job_list *list = NULL;

    open_queue();
    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job")};
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, NULL, NULL, NULL));
    assert_ok(sc_queue_get_jobs(queue, SC_JOB_WAITING, 0, -1, true, &list));

    assert_int_equal(list->count, 1000);
    assert_slice(list->jobs[0]->id, "1");
    assert_slice(list->jobs[999]->id, "1000");
    sc_job_list_free(list);
    close_queue();
}

TEST(jobs_that_are_gone_or_unreadable_are_left_out)
{
    open_queue();
    add_waiting(4);
    test_redis(&server, "DEL bull:q:2");
    test_redis(&server, "SET bull:q:3 text");
    wait_until(strcmp(test_redis(&server, "TYPE bull:q:3"), "string") == 0);

    assert_string_equal(ids(SC_JOB_WAITING, 0, -1, true), "1 4");
    close_queue();
}

TEST(bad_ranges_and_states_are_refused)
{
    sc_job_list *list = NULL;

    open_queue();
    assert_err(sc_queue_get_jobs(queue, SC_JOB_WAITING, -1, 3, true, &list), SC_EINVAL);
    assert_err(sc_queue_get_jobs(queue, SC_JOB_WAITING, 0, -2, true, &list), SC_EINVAL);
    assert_err(sc_queue_get_jobs(queue, SC_JOB_WAITING, INT64_MAX, -1, true, &list), SC_EINVAL);
    assert_err(sc_queue_get_jobs(queue, SC_JOB_UNKNOWN, 0, -1, true, &list), SC_EINVAL);
    assert_err(sc_queue_get_jobs(queue, (sc_job_state)77, 0, -1, true, &list), SC_EINVAL);

    assert_null(list);
    close_queue();
}

TEST(wrong_types_in_redis_are_errors)
{
    sc_queue_counts counts;
    sc_job_list *list = NULL;
    sc_job_state found;
    bool paused;

    open_queue();
    wait_until(strcmp(test_redis(&server, "EXISTS bull:q:meta"), "1") == 0);
    test_redis(&server, "SET bull:q:wait text");
    test_redis(&server, "SET bull:q:meta text");

    assert_err(sc_queue_get_counts(queue, &counts), SC_EREPLY);
    assert_err(sc_queue_get_jobs(queue, SC_JOB_WAITING, 0, -1, true, &list), SC_EREPLY);
    assert_err(sc_queue_get_state(queue, SC_S("1"), &found), SC_EREPLY);
    assert_err(sc_queue_is_paused(queue, &paused), SC_EREPLY);
    close_queue();
}

TEST(logs_come_oldest_first)
{
    sc_id_list *rows = NULL;

    open_queue();
    test_redis(&server, "RPUSH bull:q:1:logs one two three");
    assert_ok(sc_queue_get_logs(queue, SC_S("1"), 0, -1, &rows));

    assert_int_equal(rows->count, 3);
    assert_slice(rows->ids[0], "one");
    sc_id_list_free(rows);
    assert_ok(sc_queue_get_logs(queue, SC_S("1"), 1, 1, &rows));
    assert_int_equal(rows->count, 1);
    assert_slice(rows->ids[0], "two");
    sc_id_list_free(rows);
    assert_ok(sc_queue_get_logs(queue, SC_S("none"), 0, -1, &rows));
    assert_int_equal(rows->count, 0);
    sc_id_list_free(rows);
    assert_err(sc_queue_get_logs(queue, SC_S("1"), -3, -1, &rows), SC_EINVAL);
    close_queue();
}

TEST(queues_are_discovered_by_their_meta_keys)
{
    enum { COUNT = 3000 }; /* several pages of keys */
    sc_job_spec *specs = calloc(COUNT, sizeof(*specs));
    sc_id_list *names = NULL;

    open_queue();
    for (size_t i = 0; i < COUNT; i++)
        specs[i] = (sc_job_spec){.name = SC_S("job")};
    assert_ok(sc_queue_add_bulk(queue, specs, COUNT, NULL, NULL, NULL));
    free(specs);
    wait_until(strcmp(test_redis(&server, "EXISTS bull:q:meta"), "1") == 0);
    test_redis(&server, "HSET bull:mail:meta version x");
    test_redis(&server, "HSET bull:a:b:meta version x");
    test_redis(&server, "HSET bullet:x:meta version x");
    test_redis(&server, "HSET b[u]*:y:meta version x");
    test_redis(&server, "SET bull:text:meta version");
    assert_ok(sc_queue_discover(client, SC_S(""), &names));

    assert_int_equal(names->count, 2);
    assert_slice(names->ids[0], "mail");
    assert_slice(names->ids[1], "q");
    sc_id_list_free(names);
    assert_ok(sc_queue_discover(client, SC_S("b[u]*"), &names));
    assert_int_equal(names->count, 1);
    assert_slice(names->ids[0], "y");
    sc_id_list_free(names);
    assert_ok(sc_queue_discover(client, SC_S("none"), &names));
    assert_int_equal(names->count, 0);
    sc_id_list_free(names);
    close_queue();
}
