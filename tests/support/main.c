/* Runs a test program's tests, each in a child process with a limit. Prints a line a test.
 * Arguments: names (or parts of names) of tests to run; none: all. */
#include "test.h"

#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { SLOWER = 6 };
#else
enum { SLOWER = 2 };
#endif

#if defined(__SANITIZE_THREAD__)
/* libuv closes by a system call of its own, and the pipeline's descriptor is made by fcntl(): ThreadSanitizer sees neither, and takes the
 * close of the one for a race with the other that had its number before, in another client. */
__attribute__((visibility("default"))) const char *__tsan_default_suppressions(void);

const char *__tsan_default_suppressions(void)
{
    return "race:^close_fd$\n";
}
#endif

static struct test_case *first, **last = &first;
static char folder[64];

void test_register(struct test_case *test)
{
    *last = test;
    last = &test->next;
}

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t test_deadline_ms(void)
{
    return now_ms() + 10000 * SLOWER;
}

bool test_pause_until(int64_t deadline_ms)
{
    if (now_ms() > deadline_ms)
        return false;
    poll(NULL, 0, 2);
    return true;
}

const char *test_folder(void)
{
    return folder;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static int run_child(struct test_case *test, int out)
{
    const struct CMUnitTest one = {test->name, test->run, NULL, NULL, NULL};

    dup2(out, 1);
    dup2(out, 2);
    cmocka_set_message_output(CM_OUTPUT_STDOUT);
    return _cmocka_run_group_tests(test->name, &one, 1, NULL, NULL) ? 1 : 0;
}

static bool wait_child(pid_t pid, int limit_s, int *ret_status)
{
    int64_t deadline = now_ms() + (int64_t)limit_s * 1000;

    while (waitpid(pid, ret_status, WNOHANG) == 0) {
        if (now_ms() > deadline) {
            kill(-pid, SIGABRT);
            poll(NULL, 0, 200);
            kill(-pid, SIGKILL);
            waitpid(pid, ret_status, 0);
            return false;
        }
        poll(NULL, 0, 2);
    }
    kill(-pid, SIGKILL); /* whatever the test left running */
    return true;
}

static void print_output(FILE *output)
{
    char line[4096];

    rewind(output);
    while (fgets(line, sizeof(line), output))
        printf("    %s", line);
}

static bool run(struct test_case *test)
{
    FILE *output = tmpfile();
    int64_t began = now_ms();
    int status = 0;
    bool in_time, passed;
    pid_t pid;

    snprintf(folder, sizeof(folder), "/tmp/sctest.XXXXXX");
    if (!output || !mkdtemp(folder))
        return false;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        setpgid(0, 0);
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        exit(run_child(test, fileno(output)));
    }
    setpgid(pid, pid);
    in_time = wait_child(pid, test->limit_s * SLOWER, &status);
    passed = in_time && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    printf("%s %s (%lld ms)%s\n", passed ? "ok" : "FAILED", test->name,
           (long long)(now_ms() - began), in_time ? "" : " ran over its limit");
    if (!passed)
        print_output(output);
    if (in_time && WIFSIGNALED(status))
        printf("    ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    fclose(output);
    nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    return passed;
}

static bool wanted(const struct test_case *test, int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strstr(test->name, argv[i]))
            return true;
    return argc < 2;
}

int main(int argc, char **argv)
{
    int passed = 0, failed = 0;

    signal(SIGPIPE, SIG_IGN);
    for (struct test_case *test = first; test; test = test->next) {
        if (!wanted(test, argc, argv))
            continue;
        if (run(test))
            passed++;
        else
            failed++;
    }
    printf("%d passed, %d failed\n", passed, failed);
    return failed ? 1 : 0;
}
