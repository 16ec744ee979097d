/* A queue on a Redis of the test's own, and what adding to it gives. */
#ifndef TESTS_REDIS_QUEUE_ADD_FIXTURE_H
#define TESTS_REDIS_QUEUE_ADD_FIXTURE_H

#include <storychain/queue.h>

#include "support/server.h"
#include "support/test.h"

__attribute__((unused)) static struct test_server server;

static inline sc_queue *open_queue(sc_client *client, const sc_queue_opts *opts)
{
    sc_queue *queue = NULL;
    sc_reason reason = {""};

    if (sc_queue_new(client, SC_S("q"), opts, &queue, &reason))
        fail_msg("no queue: %s", reason.text);
    wait_until((opts && opts->skip_meta) ||
               strcmp(test_redis(&server, "EXISTS bull:q:meta"), "1") == 0);
    return queue;
}

static inline char *add(sc_queue *queue, const char *name, const char *data,
                        const sc_job_opts *opts)
{
    const sc_job_spec spec = {.name = sc_slice_of(name), .data = sc_slice_of(data), .opts = opts};
    sc_reason reason = {""};
    char *id = NULL;

    if (sc_queue_add(queue, &spec, &id, &reason))
        fail_msg("not added: %s", reason.text);
    return id;
}

static inline void assert_added(sc_queue *queue, const sc_job_opts *opts, const char *expected_id)
{
    char *id = add(queue, "job", "{}", opts);

    assert_string_equal(id, expected_id);
    sc_free(id);
}

static inline void assert_refused(sc_queue *queue, const sc_job_spec *spec, sc_err expected,
                                  const char *reason_part)
{
    sc_reason reason = {""};

    assert_err(sc_queue_add(queue, spec, NULL, &reason), expected);
    if (!strstr(reason.text, reason_part))
        fail_msg("the reason is \"%s\", without \"%s\"", reason.text, reason_part);
}

#define assert_redis(command, expected) assert_string_equal(test_redis(&server, command), expected)

#endif
