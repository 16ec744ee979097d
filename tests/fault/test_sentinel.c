/* redis/sentinel: real sentinels over a master and its replica */
#include <signal.h>
#include <stdatomic.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <storychain/queue.h>
#include <storychain/worker.h>

#include "support/server.h"
#include "support/test.h"

enum { SENTINELS = 3 };

struct house {
    struct test_server servers[2]; /* the second one follows the first */
    char ports[2][8];
    char sentinel_ports[SENTINELS][8];
    int sentinel_pids[SENTINELS];
    char url[256];
};

static void start_server(struct house *h, int i)
{
    const char *const master[] = {"--port", h->ports[i], NULL};
    const char *const replica[] = {"--port",
                                   h->ports[i],
                                   "--replicaof",
                                   "127.0.0.1",
                                   h->ports[1 - i],
                                   "--repl-diskless-sync-delay",
                                   "0",
                                   NULL};

    test_server_start_args(&h->servers[i], i ? replica : master);
}

static void write_config(const struct house *h, int i, const char *down_after_ms, const char *more,
                         const char *path)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    fprintf(
        f,
        "port %s\ndir %s\nsentinel monitor mymaster 127.0.0.1 %s 2\n"
        "sentinel down-after-milliseconds mymaster %s\nsentinel failover-timeout mymaster 4000\n%s",
        h->sentinel_ports[i], test_folder(), h->ports[0], down_after_ms, more);
    fclose(f);
}

static void start_sentinel(struct house *h, int i, const char *down_after_ms, const char *more)
{
    char path[160], log[176];

    test_free_port(h->sentinel_ports[i]);
    snprintf(path, sizeof(path), "%s/sentinel%d.conf", test_folder(), i);
    snprintf(log, sizeof(log), "%s.log", path);
    write_config(h, i, down_after_ms, more, path);
    h->sentinel_pids[i] = fork();
    if (h->sentinel_pids[i] == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        execlp(test_server_program(), test_server_program(), path, "--sentinel", "--logfile", log,
               (char *)NULL);
        _exit(127);
    }
}

static sc_client *client_of(const char *url)
{
    const sc_client_opts opts = {.url = url, .command_timeout_ms = 60000};
    sc_client *client;
    sc_reason reason = {""};

    if (sc_client_new(&opts, &client, &reason) || sc_client_wait_ready(client, 60000, &reason))
        fail_msg("%s", reason.text);
    return client;
}

/* What a sentinel says to "SENTINEL <word> mymaster": of an array the number of its items. */
static int ask_sentinel(const struct house *h, int i, const char *word)
{
    const sc_slice argv[] = {SC_S("SENTINEL"), sc_slice_of(word), SC_S("mymaster")};
    sc_reply *reply;
    sc_client *client;
    char url[64];
    int count;

    snprintf(url, sizeof(url), "redis://127.0.0.1:%s", h->sentinel_ports[i]);
    client = client_of(url);
    assert_ok(sc_client_call(client, argv, 3, &reply));
    count = reply->type == SC_REPLY_ERROR ? -1 : (int)reply->count;
    sc_reply_free(reply);
    sc_client_free(client);
    return count;
}

static bool all_know_each_other(const struct house *h)
{
    for (int i = 0; i < SENTINELS; i++)
        if (ask_sentinel(h, i, "SENTINELS") != SENTINELS - 1 || ask_sentinel(h, i, "REPLICAS") != 1)
            return false;
    return true;
}

static void start_house(struct house *h)
{
    for (int i = 0; i < 2; i++)
        test_free_port(h->ports[i]);
    for (int i = 0; i < 2; i++)
        start_server(h, i);
    for (int i = 0; i < SENTINELS; i++)
        start_sentinel(h, i, "5000", ""); /* longer than a busy machine lets a server wait */
    snprintf(h->url, sizeof(h->url),
             "redis+sentinel://127.0.0.1:%s,127.0.0.1:%s,127.0.0.1:%s/mymaster",
             h->sentinel_ports[0], h->sentinel_ports[1], h->sentinel_ports[2]);
    wait_until(strstr(test_redis(&h->servers[1], "INFO replication"), "master_link_status:up"));
    wait_until(all_know_each_other(h));
}

static bool set(sc_client *client, const char *value)
{
    const sc_slice argv[] = {SC_S("SET"), SC_S("k"), sc_slice_of(value)};
    sc_reply *reply = NULL;
    bool is_set = sc_client_call(client, argv, 3, &reply) == SC_OK && reply->type != SC_REPLY_ERROR;

    sc_reply_free(reply);
    return is_set;
}

static sc_outcome count_run(sc_run *run, const sc_job *job, void *user)
{
    (void)run, (void)job;
    atomic_fetch_add((atomic_int *)user, 1);
    return SC_DONE;
}

/* A worker waits on the master, for ten minutes if need be, when that ends. */
static void expect_work_goes_on(int signal_number)
{
    const sc_job_spec job = {.name = SC_S("job"), .data = SC_S("{}")};
    const sc_worker_opts worker_opts = {.drain_delay_ms = 600000};
    struct house h;
    sc_client *client;
    sc_queue *queue;
    sc_worker *worker;
    atomic_int runs = 0;

    start_house(&h);
    client = client_of(h.url);
    assert_ok(sc_queue_new(client, SC_S("q"), NULL, &queue, NULL));
    assert_ok(sc_worker_new(client, SC_S("q"), &worker_opts, &worker, NULL));
    assert_ok(sc_worker_handle(worker, SC_S(""), count_run, &runs));
    assert_ok(sc_worker_start(worker));
    assert_ok(sc_queue_add(queue, &job, NULL, NULL));
    wait_until(runs == 1);
    wait_until(strstr(test_redis(&h.servers[0], "CLIENT LIST"), "cmd=bzpopmin"));

    kill(h.servers[0].pid, signal_number);

    wait_until(set(client, "after"));
    assert_string_equal(test_redis(&h.servers[1], "GET k"), "after");
    wait_until(sc_queue_add(queue, &job, NULL, NULL) == SC_OK);
    wait_until(runs >= 2);
    sc_worker_free(worker);
    sc_queue_free(queue);
    sc_client_free(client);
}

TEST_LIMIT(clients_and_waits_follow_a_master_that_dies, 60)
{
    expect_work_goes_on(SIGKILL);
}

TEST_LIMIT(and_one_that_falls_silent_without_closing_anything, 60)
{
    expect_work_goes_on(SIGSTOP);
}

static bool is_master(const struct test_server *server)
{
    return strstr(test_redis(server, "INFO replication"), "role:master") != NULL;
}

/* A failover that took too long is given up, and asked for again. */
static bool has_failed_over(const struct house *h)
{
    if (!is_master(&h->servers[1]))
        (void)ask_sentinel(h, 0, "FAILOVER");
    return is_master(&h->servers[1]);
}

TEST_LIMIT(a_client_leaves_a_master_that_is_replaced_while_it_lives, 60)
{
    struct house h;
    sc_client *client;

    start_house(&h);
    client = client_of(h.url);
    assert_true(set(client, "before"));

    wait_until(has_failed_over(&h));

    wait_until(set(client, "after") && !strcmp(test_redis(&h.servers[1], "GET k"), "after"));
    sc_client_free(client);
}

TEST(sentinels_that_are_gone_cost_only_a_moment)
{
    struct house h;
    sc_client *client;

    start_house(&h);
    kill(h.sentinel_pids[0], SIGKILL);
    kill(h.sentinel_pids[1], SIGSTOP);

    client = client_of(h.url);

    assert_true(set(client, "v"));
    sc_client_free(client);
}

static bool says(sc_client *client, const char *text)
{
    sc_reason reason = {""};

    return sc_client_wait_ready(client, 100, &reason) && strstr(reason.text, text);
}

/* Waits until the client of that URL says why it can't connect; it has no login in that. */
static void expect_trouble(const char *url, const char *text)
{
    const sc_client_opts opts = {.url = url};
    sc_client *client;

    assert_ok(sc_client_new(&opts, &client, NULL));
    wait_until(says(client, text));
    assert_false(says(client, "secret"));
    sc_client_free(client);
}

TEST(what_is_wrong_is_said)
{
    struct house h;
    char url[128];
    sc_client *client;

    test_free_port(h.ports[0]);
    start_server(&h, 0);
    start_sentinel(&h, 0, "60000", "requirepass secret1\nsentinel sentinel-pass secret1\n");
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%s/mymaster?sentinel_password=secret1",
             h.sentinel_ports[0]);
    client = client_of(url);
    assert_true(set(client, "v"));
    sc_client_free(client);

    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%s/mymaster", h.sentinel_ports[0]);
    expect_trouble(url, "sentinel_password=PASSWORD");
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%s/other?sentinel_password=secret1",
             h.sentinel_ports[0]);
    expect_trouble(url, "it knows no master of that name");
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%s/mymaster", h.ports[0]);
    expect_trouble(url, "unknown command");
}

TEST(a_replica_is_taken_for_no_master)
{
    struct house h;
    char url[128];
    sc_client *client;

    for (int i = 0; i < 2; i++)
        test_free_port(h.ports[i]);
    start_server(&h, 0);
    test_redis(&h.servers[0], "REPLICAOF 127.0.0.1 1");
    start_sentinel(&h, 0, "600000", "");
    snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%s/mymaster", h.sentinel_ports[0]);

    expect_trouble(url, "is no master");

    test_redis(&h.servers[0], "REPLICAOF NO ONE");
    client = client_of(url);
    assert_true(set(client, "v"));
    sc_client_free(client);
}
