/* redis/embedded.c: a server as a child, in a folder of ours */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <storychain/client.h>
#include <storychain/embedded.h>

#include "redis/reply.h"
#include "support/test.h"

static sc_embedded *start(const char *folder)
{
    sc_embedded *server = NULL;
    sc_reason reason = {""};

    if (sc_embedded_start(folder, NULL, &server, &reason))
        fail_msg("not started: %s", reason.text);
    return server;
}

/* One command on a connection of its own; the reply's text goes to `out`. */
static void ask(const char *url, char *out, size_t cap, const char *const *words)
{
    sc_client_opts opts = {.url = url};
    sc_slice argv[8];
    sc_client *client;
    sc_reply *reply;
    size_t argc = 0;

    for (; words[argc]; argc++)
        argv[argc] = sc_slice_of(words[argc]);
    assert_ok(sc_client_new(&opts, &client, NULL));
    assert_ok(sc_client_call(client, argv, argc, &reply));
    if (reply->count == 2)
        snprintf(out, cap, "%.*s", (int)reply->items[1].str.len, reply->items[1].str.ptr);
    else
        snprintf(out, cap, "%.*s", (int)reply->str.len, reply->str.ptr);
    sc_reply_free(reply);
    sc_client_free(client);
}

#define ASK(url, out, ...) ask(url, out, sizeof(out), (const char *const[]){__VA_ARGS__, NULL})

static bool is_gone(int64_t pid)
{
    return kill((pid_t)pid, 0) != 0 && errno == ESRCH;
}

TEST(it_keeps_its_data_over_stop_and_start)
{
    char out[64];
    sc_embedded *server = start(test_folder());
    int64_t pid = sc_embedded_pid(server);

    ASK(sc_embedded_url(server), out, "SET", "k", "kept");
    sc_embedded_stop(server);
    assert_true(is_gone(pid));
    server = start(test_folder());
    ASK(sc_embedded_url(server), out, "GET", "k");

    assert_string_equal(out, "kept");
    sc_embedded_stop(server);
}

TEST(it_has_an_append_only_file_no_port_and_evicts_nothing)
{
    static const char *const settings[][2] = {{"port", "0"},
                                              {"appendonly", "yes"},
                                              {"appendfsync", "everysec"},
                                              {"save", ""},
                                              {"maxmemory-policy", "noeviction"}};
    char out[64];
    sc_embedded *server = start(test_folder());

    for (size_t i = 0; i < sizeof(settings) / sizeof(*settings); i++) {
        ASK(sc_embedded_url(server), out, "CONFIG", "GET", settings[i][0]);
        assert_string_equal(out, settings[i][1]);
    }

    assert_non_null(strstr(sc_embedded_program(server), "-server"));
    sc_embedded_stop(server);
}

TEST(a_folder_in_use_is_refused)
{
    sc_embedded *server = start(test_folder()), *second = NULL;
    sc_reason reason = {""};

    assert_err(sc_embedded_start(test_folder(), NULL, &second, &reason), SC_EBUSY);

    assert_non_null(strstr(reason.text, "in use"));
    assert_true(sc_embedded_is_alive(server));
    sc_embedded_stop(server);
}

TEST(a_server_that_died_is_started_again)
{
    char out[64];
    sc_embedded *server = start(test_folder());

    ASK(sc_embedded_url(server), out, "SET", "k", "kept");
    kill((pid_t)sc_embedded_pid(server), SIGKILL);
    wait_until(!sc_embedded_is_alive(server));
    assert_ok(sc_embedded_restart(server, NULL));
    ASK(sc_embedded_url(server), out, "GET", "k");

    assert_string_equal(out, "kept");
    assert_ok(sc_embedded_restart(server, NULL)); /* alive: nothing to do */
    sc_embedded_stop(server);
}

static void *start_on_thread(void *arg)
{
    *(sc_embedded **)arg = start(test_folder());
    return NULL;
}

TEST(it_outlives_the_thread_that_started_it)
{
    sc_embedded *server = NULL;
    pthread_t thread;
    char out[64];

    pthread_create(&thread, NULL, start_on_thread, &server);
    pthread_join(thread, NULL);
    ASK(sc_embedded_url(server), out, "PING");

    assert_string_equal(out, "PONG");
    sc_embedded_stop(server);
}

/* A process that starts a server and waits to be killed; its pid and the server's. */
static pid_t fork_owner(int64_t *ret_server_pid)
{
    int pipe_fd[2];
    pid_t owner;

    assert_int_equal(pipe(pipe_fd), 0);
    owner = fork();
    if (owner == 0) {
        sc_embedded *server = start(test_folder());
        int64_t pid = sc_embedded_pid(server);

        if (write(pipe_fd[1], &pid, sizeof(pid)) != sizeof(pid))
            _exit(1);
        for (;;)
            pause();
    }
    assert_int_equal(read(pipe_fd[0], ret_server_pid, sizeof(*ret_server_pid)), 8);
    return owner;
}

TEST(it_ends_when_its_process_is_killed)
{
    int64_t server_pid;
    pid_t owner = fork_owner(&server_pid);
    int status;

    assert_false(is_gone(server_pid));
    kill(owner, SIGKILL);
    waitpid(owner, &status, 0);

    wait_until(is_gone(server_pid));
}

/* A server as an earlier process would have left it: nobody's child any more. */
static void leave_behind(const char *folder, const char *pid_name)
{
    char command[1024];

    snprintf(command, sizeof(command),
             "redis-server --port 0 --unixsocket %s/redis.sock --dir %s --pidfile %s/%s "
             "--appendonly yes --save '' --daemonize yes --logfile %s/redis.log",
             folder, folder, test_folder(), pid_name, folder);
    assert_int_equal(system(command), 0);
}

static int64_t pid_in(const char *folder, const char *pid_name)
{
    char path[256];
    int pid = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/%s", folder, pid_name);
    f = fopen(path, "r");
    if (!f)
        return 0;
    if (fscanf(f, "%d", &pid) != 1)
        pid = 0;
    fclose(f);
    return pid;
}

TEST(a_server_left_behind_is_replaced_and_its_data_kept)
{
    char out[64], url[128];
    leave_behind(test_folder(), "redis.pid");
    snprintf(url, sizeof(url), "unix://%s/redis.sock", test_folder());
    wait_until(pid_in(test_folder(), "redis.pid"));
    int64_t old_pid = pid_in(test_folder(), "redis.pid");
    ASK(url, out, "SET", "k", "kept");

    sc_embedded *server = start(test_folder());

    ASK(sc_embedded_url(server), out, "GET", "k");
    assert_string_equal(out, "kept");
    wait_until(is_gone(old_pid));
    sc_embedded_stop(server);
}

TEST(a_server_that_is_not_ours_is_left_alone)
{
    sc_embedded *server = NULL;
    sc_reason reason = {""};
    leave_behind(test_folder(), "other.pid");
    wait_until(pid_in(test_folder(), "other.pid"));
    int64_t pid = pid_in(test_folder(), "other.pid");

    assert_err(sc_embedded_start(test_folder(), NULL, &server, &reason), SC_EBUSY);

    assert_non_null(strstr(reason.text, "not ours"));
    assert_false(is_gone(pid));
    kill((pid_t)pid, SIGKILL);
}

TEST(a_long_path_and_odd_characters_do_not_matter)
{
    static const char *const names[] = {
        "a long name a long name a long name a long name a long name a long name a long name",
        "50% of \"it's\" a $HOME?"};
    char folder[256], out[64];

    for (size_t i = 0; i < 2; i++) {
        snprintf(folder, sizeof(folder), "%s/%s", test_folder(), names[i]);
        assert_int_equal(mkdir(folder, 0700), 0);
        sc_embedded *server = start(folder);
        char *found = NULL;

        ASK(sc_embedded_url(server), out, "PING");
        assert_string_equal(out, "PONG");
        assert_ok(sc_embedded_find(folder, &found));
        assert_string_equal(found, sc_embedded_url(server));
        sc_free(found);
        sc_embedded_stop(server);
        assert_err(sc_embedded_find(folder, &found), SC_ENOTFOUND);
    }
}

TEST(a_server_that_stands_still_is_found)
{
    sc_embedded *server = start(test_folder());
    char *found = NULL;

    kill((pid_t)sc_embedded_pid(server), SIGSTOP);
    assert_ok(sc_embedded_find(test_folder(), &found));
    kill((pid_t)sc_embedded_pid(server), SIGCONT);

    assert_string_equal(found, sc_embedded_url(server));
    sc_free(found);
    sc_embedded_stop(server);
}

TEST(what_does_not_work_is_said_in_one_sentence)
{
    sc_embedded *server = NULL;
    sc_reason reason = {""};
    char fake[128];

    assert_err(sc_embedded_start("/nowhere/at/all", NULL, &server, &reason), SC_EIO);
    assert_non_null(strstr(reason.text, "/nowhere/at/all"));

    assert_err(sc_embedded_start(test_folder(), "/nowhere/redis-server", &server, &reason),
               SC_ENOTFOUND);
    setenv("PATH", "/nowhere", 1);
    assert_err(sc_embedded_start(test_folder(), NULL, &server, &reason), SC_ENOTFOUND);
    assert_non_null(strstr(reason.text, "apt install redis-server"));

    snprintf(fake, sizeof(fake), "%s/fake-server", test_folder());
    FILE *f = fopen(fake, "w");
    fputs("#!/bin/sh\necho first\necho the disk is full\nexit 1\n", f);
    fclose(f);
    chmod(fake, 0700);
    assert_err(sc_embedded_start(test_folder(), fake, &server, &reason), SC_EIO);
    assert_non_null(strstr(reason.text, "the disk is full"));
}

TEST(a_folder_that_may_not_be_written_is_refused)
{
    sc_embedded *server = NULL;
    sc_reason reason = {""};

    if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
        fail();
    assert_err(sc_embedded_start("/", NULL, &server, &reason), SC_EIO);

    assert_non_null(strstr(reason.text, "can't be written"));
}

TEST(it_runs_as_another_user_than_root)
{
    char out[64];

    if (geteuid() == 0) {
        assert_int_equal(chown(test_folder(), 65534, 65534), 0);
        assert_int_equal(setgid(65534) | setuid(65534), 0);
    }
    sc_embedded *server = start(test_folder());

    ASK(sc_embedded_url(server), out, "PING");

    assert_string_equal(out, "PONG");
    sc_embedded_stop(server);
}

/* The end of its log is cut off, as when it was killed while it wrote a script's second command. */
static void kill_within_a_script(sc_embedded *server)
{
    char path[PATH_MAX];
    struct stat st;

    kill((pid_t)sc_embedded_pid(server), SIGKILL);
    wait_until(!sc_embedded_is_alive(server));
    snprintf(path, sizeof(path), "%s/appendonlydir/appendonly.aof.1.incr.aof", test_folder());
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(truncate(path, st.st_size - 25), 0);
}

TEST(half_a_script_is_never_done_though_the_server_was_killed_in_it)
{
    sc_embedded *server = start(test_folder());
    sc_reason reason = {""};
    char out[64];

    ASK(sc_embedded_url(server), out, "SET", "before", "1");
    ASK(sc_embedded_url(server), out, "EVAL",
        "redis.call('SET', 'first', 1) return redis.call('SET', 'second', 1)", "0");
    kill_within_a_script(server);

    assert_ok(sc_embedded_restart(server, &reason));
    ASK(sc_embedded_url(server), out, "EVAL",
        "redis.call('SET', 'behind', 1) return redis.call('SET', 'it', 1)", "0");
    sc_embedded_stop(server);

    server = start(test_folder());
    ASK(sc_embedded_url(server), out, "EVAL",
        "return tostring(redis.call('EXISTS', 'before', 'behind', 'it'))", "0");
    assert_string_equal(out, "3");
    ASK(sc_embedded_url(server), out, "EVAL",
        "return tostring(redis.call('EXISTS', 'first', 'second'))", "0");
    assert_string_equal(out, "0");
    sc_embedded_stop(server);
}
