/* queue/events.c, queue/event_decode.c, queue/event_wait.c, ops/op_events.c */
#include <pthread.h>
#include <stdatomic.h>

#include <storychain/events.h>
#include <storychain/worker.h>

#include "support/server.h"
#include "support/test.h"

#include "base/clock.h"
#include "base/str.h"

static struct test_server server;
static sc_client *client;
static sc_queue *queue;
static sc_events *events;

/* What a reader handed out, as text: "added 1 job, waiting 1, ". */
static struct {
    pthread_mutex_t mutex;
    char text[64 * 1024];
    sc__str all;
    int stop_after; /* 0: never */
    _Atomic int count;
} heard = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void put(const char *label, sc_slice value)
{
    if (value.len)
        sc__str_printf(&heard.all, " %s%.*s", label, (int)value.len, value.ptr);
}

static void put_number(const char *label, int64_t value)
{
    if (value)
        sc__str_printf(&heard.all, " %s%lld", label, (long long)value);
}

static void on_event(void *user, const sc_event *event)
{
    (void)user;
    pthread_mutex_lock(&heard.mutex);
    put("", event->name);
    put("job=", event->job_id);
    put("name=", event->job_name);
    put("prev=", event->prev);
    put("data=", event->data);
    put("return=", event->return_value);
    put("reason=", event->failed_reason);
    put("dedup=", event->dedup_id);
    put("dropped=", event->dedup_job_id);
    put_number("due=", event->due_ms);
    put_number("attempts=", event->attempts_made);
    put_number("count=", event->count);
    for (size_t i = 0; event->kind == SC_EVENT_CUSTOM && i < event->field_count; i++)
        sc__str_printf(&heard.all, " %.*s:%.*s", (int)event->fields[i].name.len,
                       event->fields[i].name.ptr, (int)event->fields[i].value.len,
                       event->fields[i].value.ptr);
    sc__str_char(&heard.all, ',');
    pthread_mutex_unlock(&heard.mutex);
    if (++heard.count == heard.stop_after)
        sc_events_stop(events);
}

/* All that was heard so far. */
static const char *text(void)
{
    pthread_mutex_lock(&heard.mutex);
    snprintf(heard.text, sizeof(heard.text), "%s", heard.all.ptr ? heard.all.ptr : "");
    pthread_mutex_unlock(&heard.mutex);
    return heard.text;
}

static void open_queue(void)
{
    heard.all = STR_MAX(1 << 20);
    test_server_start(&server);
    client = test_server_client(&server);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
}

static void open_events(const char *last_id)
{
    const sc_events_opts opts = {.last_id = sc_slice_of(last_id)};

    assert_ok(sc_events_new(queue, &opts, &events, NULL));
}

static void start(void)
{
    assert_ok(sc_events_start(events, on_event, NULL));
}

static void close_all(void)
{
    sc_events_free(events);
    sc_queue_free(queue);
    sc_client_free(client);
    sc__str_release(&heard.all);
}

static void redis(const char *command)
{
    test_redis(&server, command);
}

/* Custom events "n" with the numbers from..to as their field. */
static void publish(int from, int to)
{
    for (int i = from; i <= to; i++) {
        char digits[SC__INT_LEN];
        const sc_event_field field = {SC_S("i"), {digits, sc__int_text(i, digits)}};

        assert_ok(sc_events_publish(queue, SC_S("n"), &field, 1, 100000, NULL));
    }
}

static void assert_heard_numbers(int from, int to)
{
    AUTO_STR expected = STR_MAX(64 * 1024);

    for (int i = from; i <= to; i++)
        sc__str_printf(&expected, " n i:%d,", i);
    assert_string_equal(text(), expected.ptr);
}

TEST(every_kind_of_event_is_decoded)
{
    static const struct {
        const char *entry, *expected;
    } kinds[] = {
        {"added jobId 1 name email", " added job=1 name=email,"},
        {"waiting jobId 1 prev delayed", " waiting job=1 prev=delayed,"},
        {"delayed jobId 1 delay 1700000000000", " delayed job=1 due=1700000000000,"},
        {"active jobId 1 prev waiting", " active job=1 prev=waiting,"},
        {"waiting-children jobId 1 prev active", " waiting-children job=1 prev=active,"},
        {"completed jobId 1 returnvalue {\"a\":1} prev active",
         " completed job=1 prev=active return={\"a\":1},"},
        {"failed jobId 1 failedReason why prev active", " failed job=1 prev=active reason=why,"},
        {"retries-exhausted jobId 1 attemptsMade 3", " retries-exhausted job=1 attempts=3,"},
        {"progress jobId 1 data 42", " progress job=1 data=42,"},
        {"stalled jobId 1", " stalled job=1,"},
        {"removed jobId 1 prev failed", " removed job=1 prev=failed,"},
        {"cleaned count 7", " cleaned count=7,"},
        {"paused x y", " paused,"},
        {"resumed x y", " resumed,"},
        {"drained x y", " drained,"},
        {"duplicated jobId 1", " duplicated job=1,"},
        {"deduplicated jobId 1 deduplicationId d deduplicatedJobId 2",
         " deduplicated job=1 dedup=d dropped=2,"},
        {"delayed jobId 1 delay soon", " delayed job=1,"},
        {"mine jobId 1 delay 5", " mine jobId:1 delay:5,"},
    };
    AUTO_STR expected = STR_MAX(64 * 1024);

    open_queue();
    for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
        char command[256];

        snprintf(command, sizeof(command), "XADD bull:q:events * event %s", kinds[i].entry);
        redis(command);
        sc__str_text(&expected, kinds[i].expected);
    }

    open_events("0");
    start();

    wait_until(heard.count == sizeof(kinds) / sizeof(*kinds));
    assert_string_equal(text(), expected.ptr);
    close_all();
}

TEST(an_entry_without_a_name_is_a_custom_event)
{
    open_queue();
    redis("XADD bull:q:events * a 1 b 2");
    open_events("0");
    start();

    wait_until(heard.count == 1);
    assert_string_equal(text(), " a:1 b:2,");
    close_all();
}

TEST(what_came_before_the_reader_was_made_is_not_handed_out)
{
    open_queue();
    publish(1, 3);
    open_events("$");
    publish(4, 5);
    start();
    publish(6, 6);

    wait_until(heard.count == 3);
    assert_heard_numbers(4, 6);
    close_all();
}

TEST(a_reader_goes_on_behind_a_given_id)
{
    open_queue();
    redis("XADD bull:q:events 5-1 event n i 1");
    redis("XADD bull:q:events 5-2 event n i 2");
    redis("XADD bull:q:events 6-0 event n i 3");
    open_events("5-1");
    start();

    wait_until(heard.count == 2);
    assert_heard_numbers(2, 3);
    close_all();
}

TEST(more_events_than_a_batch_come_once_and_in_order)
{
    open_queue();
    publish(1, 350);
    open_events("0");
    start();
    publish(351, 700);

    wait_until(heard.count == 700);
    assert_heard_numbers(1, 700);
    close_all();
}

TEST(stopped_in_the_callback_it_keeps_its_place)
{
    open_queue();
    publish(1, 10);
    open_events("0");
    heard.stop_after = 4;
    start();
    wait_until(heard.count == 4);
    sc_events_stop(events);
    assert_heard_numbers(1, 4);

    start();

    assert_err(sc_events_start(events, on_event, NULL), SC_ESTATE);
    wait_until(heard.count == 10);
    assert_heard_numbers(1, 10);
    close_all();
}

/* Stops and starts in the middle of a batch, on the I/O thread. */
static void restart(void *user, const sc_event *event)
{
    on_event(user, event);
    sc_events_stop(events);
    assert_ok(sc_events_start(events, restart, NULL));
}

TEST(started_again_in_the_callback_it_goes_on)
{
    open_queue();
    publish(1, 5);
    open_events("0");
    assert_ok(sc_events_start(events, restart, NULL));
    publish(6, 10);

    wait_until(heard.count == 10);
    assert_heard_numbers(1, 10);
    close_all();
}

static bool answers(void)
{
    sc_reply *reply = NULL;
    sc_err err = sc_client_call(client, (const sc_slice[]){SC_S("PING")}, 1, &reply);

    sc_reply_free(reply);
    return !err;
}

TEST(killed_connections_lose_and_repeat_nothing)
{
    open_queue();
    open_events("$");
    start();
    for (int round = 0; round < 5; round++) {
        publish(round * 20 + 1, round * 20 + 10);
        redis("CLIENT KILL TYPE normal SKIPME yes");
        /* Our own connection was killed with the reader's: an add may fail, so the server's own client adds. */
        for (int i = round * 20 + 11; i <= round * 20 + 20; i++) {
            char command[64];

            snprintf(command, sizeof(command), "XADD bull:q:events * event n i %d", i);
            redis(command);
        }
        wait_until(heard.count == round * 20 + 20);
        wait_until(answers());
    }

    assert_heard_numbers(1, 100);
    close_all();
}

TEST(a_key_of_another_type_is_waited_for)
{
    open_queue();
    open_events("0");
    redis("SET bull:q:events x");
    start();
    redis("DEL bull:q:events");
    publish(1, 2);

    wait_until(heard.count == 2);
    assert_heard_numbers(1, 2);
    close_all();
}

TEST(bad_options_and_events_are_refused_with_a_reason)
{
    const sc_event_field reserved = {SC_S("event"), SC_S("x")}, nameless = {SC_S(""), SC_S("x")};
    sc_reason why;

    open_queue();
    assert_err(sc_events_new(queue, &(sc_events_opts){.last_id = SC_S("5-")}, &events, &why),
               SC_EINVAL);
    assert_non_null(strstr(why.text, "\"5-\" is no id"));
    assert_err(sc_events_new(queue, &(sc_events_opts){.batch = 1001}, &events, &why), SC_EINVAL);
    assert_err(sc_events_new(queue, &(sc_events_opts){.block_ms = -1}, &events, &why), SC_EINVAL);
    assert_err(sc_events_publish(queue, SC_S(""), NULL, 0, 0, &why), SC_EINVAL);
    assert_err(sc_events_publish(queue, SC_S("n"), NULL, 0, -1, &why), SC_EINVAL);
    assert_err(sc_events_publish(queue, SC_S("n"), &reserved, 1, 0, &why), SC_EINVAL);
    assert_string_equal(why.text, "field 1 of the event has the name \"event\", which the event's "
                                  "own name has; give it another name");
    assert_err(sc_events_publish(queue, SC_S("n"), &nameless, 1, 0, &why), SC_EINVAL);
    assert_string_equal(test_redis(&server, "EXISTS bull:q:events"), "0");
    close_all();
}

static sc_outcome process(sc_run *run, const sc_job *job, void *user)
{
    (void)user;
    if (sc_slice_eq(job->name, SC_S("bad")))
        return sc_run_fail(run, SC_FAILED, "no luck");
    return sc_run_return(run, SC_S("{\"n\":1}"));
}

static sc_worker *start_worker(void)
{
    sc_worker *worker;

    assert_ok(sc_worker_new(client, SC_S("q"), NULL, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), process, NULL));
    assert_ok(sc_worker_start(worker));
    return worker;
}

static char *add(const char *name, sc_keep_kind keep)
{
    const sc_job_opts opts = {.keep_completed = {.kind = keep}};
    const sc_job_spec spec = {.name = sc_slice_of(name), .opts = &opts};
    char *id;

    assert_ok(sc_queue_add(queue, &spec, &id, NULL));
    return id;
}

struct waiting {
    const char *id;
    sc_err err;
    sc_job_result *result;
    _Atomic bool over;
};

static void *wait_for_job(void *arg)
{
    struct waiting *w = arg;

    w->err = sc_queue_wait_until_finished(queue, events, sc_slice_of(w->id), 60000, &w->result);
    w->over = true;
    return NULL;
}

static bool is_waited_for(int count)
{
    /* Each wait joins the list, then calls isFinished: known to the server by its count. */
    const char *stats = test_redis(&server, "INFO commandstats");
    const char *calls = strstr(stats, "cmdstat_evalsha:calls=");

    return calls && atoi(calls + strlen("cmdstat_evalsha:calls=")) >= count;
}

TEST(threads_wait_for_the_end_of_their_jobs)
{
    struct waiting waits[3] = {0};
    pthread_t threads[3];
    sc_worker *worker;

    open_queue();
    open_events("$");
    assert_ok(sc_events_start(events, NULL, NULL));
    waits[0].id = add("good", SC_KEEP_ALL);
    waits[1].id = add("bad", SC_KEEP_ALL);
    waits[2].id = add("good", SC_KEEP_NONE);
    redis("CONFIG RESETSTAT");
    for (int i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, wait_for_job, &waits[i]);
    wait_until(is_waited_for(3));
    assert_false(waits[0].over || waits[1].over || waits[2].over);
    worker = start_worker();
    for (int i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
        assert_ok(waits[i].err);
    }

    assert_int_equal(waits[0].result->state, SC_JOB_COMPLETED);
    assert_string_equal(waits[0].result->return_value.ptr, "{\"n\":1}");
    assert_int_equal(waits[1].result->state, SC_JOB_FAILED);
    assert_string_equal(waits[1].result->failed_reason.ptr, "no luck");
    assert_int_equal(waits[1].result->return_value.len, 0);
    assert_string_equal(waits[2].result->return_value.ptr, "{\"n\":1}");
    for (int i = 0; i < 3; i++) {
        sc_free((char *)waits[i].id);
        sc_free(waits[i].result);
    }
    sc_worker_free(worker);
    close_all();
}

TEST(a_job_that_has_ended_already_needs_no_wait)
{
    sc_job_result *result = NULL;
    sc_worker *worker;
    char *id;

    open_queue();
    worker = start_worker();
    id = add("bad", SC_KEEP_ALL);
    wait_until(atoi(test_redis(&server, "ZCARD bull:q:failed")) == 1);
    open_events("$");
    assert_ok(sc_events_start(events, NULL, NULL));

    assert_ok(sc_queue_wait_until_finished(queue, events, sc_slice_of(id), 20000, &result));
    assert_int_equal(result->state, SC_JOB_FAILED);
    assert_string_equal(result->failed_reason.ptr, "no luck");
    sc_free(result);
    sc_free(id);
    sc_worker_free(worker);
    close_all();
}

static atomic_bool told_enough;

static void *tell_on(void *arg)
{
    (void)arg;
    while (!told_enough)
        test_redis(&server, "XADD bull:q:events * event completed jobId 1 returnvalue 1");
    return NULL;
}

/* For ThreadSanitizer: the end comes while the thread that waits begins to. */
TEST(a_wait_may_end_as_it_begins)
{
    const sc_job_spec spec = {.name = SC_S("job")};
    sc_job_result *result;
    pthread_t thread;

    open_queue();
    assert_ok(sc_queue_add(queue, &spec, NULL, NULL));
    open_events("$");
    assert_ok(sc_events_start(events, NULL, NULL));
    pthread_create(&thread, NULL, tell_on, NULL);
    for (int i = 0; i < 300; i++) {
        assert_ok(sc_queue_wait_until_finished(queue, events, SC_S("1"), 60000, &result));
        sc_free(result);
    }
    told_enough = true;
    pthread_join(thread, NULL);
    close_all();
}

TEST(a_wait_ends_at_its_deadline)
{
    sc_job_result *result = NULL;
    char *id;

    open_queue();
    open_events("$");
    assert_ok(sc_events_start(events, NULL, NULL));
    id = add("good", SC_KEEP_ALL);

    assert_err(sc_queue_wait_until_finished(queue, events, sc_slice_of(id), 30, &result),
               SC_ETIMEDOUT);
    assert_null(result);
    sc_free(id);
    close_all();
}

static void *wait_shortly(void *arg)
{
    struct waiting *w = arg;

    w->err = sc_queue_wait_until_finished(queue, events, sc_slice_of(w->id), 500, &w->result);
    return NULL;
}

/* False when the deadline had passed before the job's end. */
static bool finds_the_end_of(const char *id)
{
    struct waiting w = {.id = id};
    char command[128];
    pthread_t thread;

    redis("CONFIG RESETSTAT");
    pthread_create(&thread, NULL, wait_shortly, &w);
    wait_until(is_waited_for(1));
    snprintf(command, sizeof(command), "HSET bull:q:%s returnvalue 7", id);
    redis(command);
    snprintf(command, sizeof(command), "ZADD bull:q:completed 1 %s", id);
    redis(command);

    pthread_join(thread, NULL);
    if (w.err == SC_ETIMEDOUT)
        return false;
    assert_ok(w.err);
    assert_string_equal(w.result->return_value.ptr, "7");
    sc_free(w.result);
    return true;
}

TEST(an_end_whose_event_was_cut_away_is_found_at_the_deadline)
{
    bool is_found = false;

    open_queue();
    open_events("$");
    assert_ok(sc_events_start(events, NULL, NULL));
    for (int i = 0; i < 5 && !is_found; i++) {
        char *id = add("good", SC_KEEP_ALL);

        is_found = finds_the_end_of(id);
        sc_free(id);
    }
    assert_true(is_found);
    close_all();
}

TEST(waits_that_cannot_be_are_refused)
{
    sc_job_result *result = NULL;
    sc_queue *other;
    char *id;

    open_queue();
    open_events("$");
    id = add("good", SC_KEEP_ALL);
    assert_ok(sc_queue_new(client, SC_S("other"), NULL, &other, NULL));

    assert_err(sc_queue_wait_until_finished(queue, events, SC_S("1"), 1000, &result), SC_ESTATE);
    assert_ok(sc_events_start(events, NULL, NULL));
    assert_err(sc_queue_wait_until_finished(queue, events, SC_S("none"), 1000, &result), SC_ENOJOB);
    assert_err(sc_queue_wait_until_finished(queue, events, SC_S(""), 1000, &result), SC_EINVAL);
    assert_err(sc_queue_wait_until_finished(queue, events, SC_S("1"), 0, &result), SC_EINVAL);
    assert_err(sc_queue_wait_until_finished(other, events, SC_S("1"), 1000, &result), SC_EINVAL);
    assert_null(result);
    sc_queue_free(other);
    sc_free(id);
    close_all();
}

TEST(a_stop_ends_the_waits)
{
    struct waiting w = {0};
    pthread_t thread;

    open_queue();
    open_events("$");
    assert_ok(sc_events_start(events, NULL, NULL));
    w.id = add("good", SC_KEEP_ALL);
    redis("CONFIG RESETSTAT");
    pthread_create(&thread, NULL, wait_for_job, &w);
    wait_until(is_waited_for(1));

    sc_events_stop(events);

    pthread_join(thread, NULL);
    assert_err(w.err, SC_ECANCELED);
    sc_free((char *)w.id);
    close_all();
}
