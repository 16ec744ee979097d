/* Jobs that add children while they run and wait for them: worker/run_children.c, lua/includes/waitForChildren. */
#include "support/worker_bench.h"

#define assert_redis(b, command, expected) assert_string_equal(redis(b, command), expected)

static bool is_first_step(const sc_job *job)
{
    return sc_slice_eq(job->data, SC_S("{\"n\":1}"));
}

static void note_run(struct bench *b, const sc_job *job)
{
    note(b, job);
    b->runs++;
}

/* A child of the job that runs, in the same queue: it stands behind its parent there. */
static void add_child(struct bench *b, sc_run *run, const char *id, sc_on_failure on_failure)
{
    const sc_job_opts opts = {
        .id = sc_slice_of(id), .parent = sc_run_as_parent(run), .on_failure = on_failure};
    const sc_job_spec spec = {.name = sc_slice_of(id), .opts = &opts};

    assert_ok(sc_queue_add(b->queue, &spec, NULL, NULL));
}

static sc_outcome child(const sc_job *job, sc_run *run)
{
    if (sc_slice_eq(job->name, SC_S("bad")))
        return sc_run_fail(run, SC_FAILED, "it broke");
    return sc_run_return(run, SC_S("42"));
}

/* The results or failures of its children are those, and become its own result. */
static sc_outcome return_children(sc_run *run, sc_child_list *list)
{
    char text[256] = "[";

    for (size_t i = 0; i < list->count; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s\"%s=%s\"", i ? "," : "",
                 list->children[i].id.ptr, list->children[i].text.ptr);
    strcat(text, "]");
    sc_child_list_free(list);
    return sc_run_return(run, sc_slice_of(text));
}

/* Two children at its first run, and their results at its second. */
static sc_outcome gather(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    sc_child_list *list;
    sc_outcome outcome;

    note_run(b, job);
    if (!sc_slice_eq(job->name, SC_S("parent")))
        return child(job, run);
    if (is_first_step(job)) {
        add_child(b, run, "one", SC_ON_FAILURE_NONE);
        add_child(b, run, "two", SC_ON_FAILURE_NONE);
        assert_ok(sc_run_update_data(run, SC_S("{\"step\":2}")));
        assert_err(sc_run_update_data(run, SC_S("{")), SC_ESYNTAX);
    }
    outcome = sc_run_wait_children(run, SC_S(""));
    if (outcome != SC_DONE)
        return outcome;
    assert_ok(sc_run_get_children_values(run, &list));
    return return_children(run, list);
}

TEST(a_job_waits_for_the_children_that_it_added)
{
    struct bench b;

    bench_open(&b);
    add(&b, "parent", NULL);

    bench_work(&b, NULL, gather);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 3);

    assert_string_equal(order(&b), "parent one two parent ");
    assert_redis(&b, "HMGET bull:q:1 returnvalue atm ats", "[\"one=42\",\"two=42\"] 1 2");
    assert_redis(&b, "EXISTS bull:q:waiting-children bull:q:1:lock bull:q:1:dependencies", "0");
    wait_until(stats(&b).completed == 3);
    assert_int_equal(stats(&b).locks_lost, 0);
    bench_close(&b);
}

/* Waits for one of two children; the other one is delayed. */
static sc_outcome wait_for_one(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    sc_outcome outcome;

    note_run(b, job);
    if (!sc_slice_eq(job->name, SC_S("parent")))
        return child(job, run);
    if (is_first_step(job)) {
        add_child(b, run, "one", SC_ON_FAILURE_NONE);
        redis(b, "SADD bull:q:1:dependencies bull:q:late");
        assert_ok(sc_run_update_data(run, SC_S("2")));
    }
    outcome = sc_run_wait_children(run, SC_S("bull:q:one"));
    if (outcome != SC_DONE)
        return outcome;
    assert_ok(sc_run_remove_unprocessed_children(run));
    return SC_DONE;
}

TEST(a_job_that_waits_for_one_child_is_run_when_all_have_ended)
{
    struct bench b;

    bench_open(&b);
    add(&b, "parent", NULL);

    bench_work(&b, NULL, wait_for_one);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_redis(&b, "ZRANGE bull:q:waiting-children 0 -1", "1");
    redis(&b, "HSET bull:q:late name late parentKey bull:q:1");
    assert_ok(sc_queue_remove(b.queue, SC_S("late")));
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);

    assert_string_equal(order(&b), "parent one parent ");
    bench_close(&b);
}

/* Its children end before what it said is recorded. */
static sc_outcome wait_too_late(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    sc_outcome outcome;

    note_run(b, job);
    if (b->runs == 1)
        redis(b, "SADD bull:q:1:dependencies bull:q:x");
    outcome = sc_run_wait_children(run, SC_S(""));
    redis(b, "DEL bull:q:1:dependencies");
    return outcome;
}

TEST(a_job_whose_children_end_meanwhile_is_run_again_at_once)
{
    struct bench b;

    bench_open(&b);
    add(&b, "parent", NULL);

    bench_work(&b, NULL, wait_too_late);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);

    assert_int_equal(b.runs, 2);
    assert_redis(&b, "HMGET bull:q:1 atm ats", "1 2");
    bench_close(&b);
}

static sc_outcome wait_for_bad(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;

    note_run(b, job);
    if (!sc_slice_eq(job->name, SC_S("parent")))
        return child(job, run);
    add_child(b, run, "bad", SC_ON_FAILURE_FAIL);
    add_child(b, run, "one", SC_ON_FAILURE_NONE);
    return sc_run_wait_children(run, SC_S(""));
}

TEST(a_job_that_waits_fails_with_its_child)
{
    struct bench b;

    bench_open(&b);
    add(&b, "parent", &(sc_job_opts){.attempts = 5});

    bench_work(&b, NULL, wait_for_bad);
    wait_until(count_of(&b, SC_JOB_FAILED) == 2);

    wait_until(count_of(&b, SC_JOB_WAITING) + count_of(&b, SC_JOB_ACTIVE) == 0);
    assert_redis(&b, "HMGET bull:q:1 failedReason ats", "child bull:q:bad failed 2");
    assert_int_equal(b.runs, 2 + (strstr(order(&b), "one") != NULL));
    bench_close(&b);
}

/* A child fails before it waits: seen by the processor, or when that has returned. */
static sc_outcome wait_with_failed(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    sc_outcome outcome = SC_WAIT_CHILDREN;

    note_run(b, job);
    if (b->hold) {
        redis(b, "SADD bull:q:1:dependencies bull:q:x");
        outcome = sc_run_wait_children(run, SC_S(""));
        assert_int_equal(outcome, SC_WAIT_CHILDREN);
    }
    redis(b, "ZADD bull:q:1:unsuccessful 1 bull:q:y");
    return b->hold ? outcome : sc_run_wait_children(run, SC_S(""));
}

TEST(a_job_with_failed_children_fails_for_good_instead_of_waiting)
{
    for (int hold = 0; hold <= 1; hold++) {
        struct bench b;

        bench_open(&b);
        b.hold = hold;
        add(&b, "parent", &(sc_job_opts){.attempts = 5});

        bench_work(&b, NULL, wait_with_failed);
        wait_until(count_of(&b, SC_JOB_FAILED) == 1);

        assert_int_equal(b.runs, 1);
        assert_redis(&b, "HGET bull:q:1 failedReason", "the job has failed children");
        bench_close(&b);
    }
}

/* Completes though a child is pending, until that is removed. */
static sc_outcome complete_early(sc_run *run, const sc_job *job, void *user)
{
    struct bench *b = user;
    sc_child_list *list;

    note_run(b, job);
    if (!sc_slice_eq(job->name, SC_S("parent")))
        return child(job, run);
    if (is_first_step(job)) {
        add_child(b, run, "bad", SC_ON_FAILURE_CONTINUE);
        redis(b, "HSET bull:q:late name late parentKey bull:q:1");
        redis(b, "SADD bull:q:1:dependencies bull:q:late");
        assert_ok(sc_run_update_data(run, SC_S("2")));
        return sc_run_wait_children(run, SC_S(""));
    }
    if (job->attempts_made == 0)
        return SC_DONE;
    assert_ok(sc_run_remove_unprocessed_children(run));
    assert_ok(sc_run_get_ignored_children_failures(run, &list));
    return return_children(run, list);
}

TEST(a_job_is_not_completed_while_children_are_pending)
{
    struct bench b;

    bench_open(&b);
    add(&b, "parent", &(sc_job_opts){.attempts = 2});

    bench_work(&b, NULL, complete_early);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);

    assert_string_equal(order(&b), "parent bad parent parent ");
    assert_redis(&b, "HMGET bull:q:1 returnvalue failedReason",
                 "[\"bad=it broke\"] the job has children that have not finished");
    assert_redis(&b, "EXISTS bull:q:late", "0");
    bench_close(&b);
}

static sc_outcome wait_once(sc_run *run, const sc_job *job, void *user)
{
    note_run(user, job);
    return job->attempts_started == 1 && sc_slice_eq(job->name, SC_S("back")) ? sc_run_wait(run)
                                                                              : SC_DONE;
}

TEST(a_job_that_goes_back_to_wait_is_run_next_and_loses_no_attempt)
{
    struct bench b;

    bench_open(&b);
    add(&b, "back", NULL);
    add(&b, "other", NULL);

    bench_work(&b, NULL, wait_once);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 2);

    assert_string_equal(order(&b), "back back other ");
    assert_redis(&b, "HMGET bull:q:1 atm ats", "1 2");
    bench_close(&b);
}

static sc_outcome say_it_waits(sc_run *run, const sc_job *job, void *user)
{
    (void)run;
    note_run(user, job);
    return job->attempts_started < 3 ? SC_WAIT_CHILDREN : SC_DONE;
}

TEST(a_job_without_children_that_says_it_waits_is_run_again)
{
    struct bench b;

    bench_open(&b);
    add(&b, "job", NULL);

    bench_work(&b, NULL, say_it_waits);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);

    assert_int_equal(b.runs, 3);
    bench_close(&b);
}

static sc_outcome wait_if_parent(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    return sc_slice_eq(job->name, SC_S("parent")) ? sc_run_wait_children(run, SC_S("")) : SC_DONE;
}

TEST(where_no_parents_can_wait_nothing_is_lost)
{
    struct bench b;

    bench_open(&b);
    redis(&b, "SET bull:q:waiting-children text");
    redis(&b, "SADD bull:q:1:dependencies bull:q:child");
    add(&b, "parent", NULL);
    add(&b, "other", NULL);

    bench_work(&b, &(sc_worker_opts){.concurrency = 2}, wait_if_parent);
    wait_until(strcmp(redis(&b, "ZRANGE bull:q:completed 0 -1"), "2") == 0);
    assert_redis(&b, "LRANGE bull:q:active 0 -1", "1");
    redis(&b, "DEL bull:q:waiting-children");
    wait_until(strcmp(redis(&b, "ZRANGE bull:q:waiting-children 0 -1"), "1") == 0);
    bench_close(&b);
}

/* A child whose parent is in a queue that has no list to wait in. */
static void add_orphan(struct bench *b, const char *name, sc_on_failure on_failure)
{
    const sc_job_opts opts = {
        .id = sc_slice_of(name), .parent = {SC_S("p"), SC_S("bull:up")}, .on_failure = on_failure};

    add(b, name, &opts);
}

static sc_outcome end_child(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    return child(job, run);
}

TEST(a_parent_that_cannot_go_on_is_not_lost)
{
    static const sc_on_failure policies[] = {SC_ON_FAILURE_FAIL, SC_ON_FAILURE_CONTINUE,
                                             SC_ON_FAILURE_IGNORE};
    struct bench b;

    bench_open(&b);
    redis(&b, "HSET bull:up:p name parent data {} opts {} timestamp 1");
    redis(&b, "ZADD bull:up:waiting-children 1 p");
    redis(&b, "SET bull:up:wait text");

    add_orphan(&b, "removed", SC_ON_FAILURE_NONE);
    assert_ok(sc_queue_remove(b.queue, SC_S("removed")));
    assert_redis(&b, "ZRANGE bull:up:waiting-children 0 -1", "p");
    bench_work(&b, NULL, end_child);

    add_orphan(&b, "good", SC_ON_FAILURE_NONE);
    wait_until(count_of(&b, SC_JOB_COMPLETED) == 1);
    assert_redis(&b, "ZRANGE bull:up:waiting-children 0 -1", "p");
    for (int i = 0; i < 3; i++) {
        add_orphan(&b, "bad", policies[i]);
        wait_until(count_of(&b, SC_JOB_FAILED) == 1);
        assert_redis(&b, "ZRANGE bull:up:waiting-children 0 -1", "p");
        assert_ok(sc_queue_remove(b.queue, SC_S("bad")));
    }
    bench_close(&b);
}
