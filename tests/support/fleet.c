#include "fleet.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

void *fleet_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    assert_ptr_not_equal(memory, MAP_FAILED);
    return memory;
}

/* What a test does in a process that was forked from it: a failure ends the process, not the test. */
static void (*run_now)(void *memory, int number);
static void *memory_now;
static int number_now;

static void run_in_child(void **state)
{
    (void)state;
    run_now(memory_now, number_now);
}

void fleet_start(struct fleet *fleet, int count, void (*run)(void *memory, int number),
                 void *memory)
{
    const struct CMUnitTest test[] = {{"process", run_in_child, NULL, NULL, NULL}};

    *fleet = (struct fleet){.count = count};
    assert_in_range(count, 1, FLEET_MAX);
    for (int i = 0; i < count; i++) {
        fleet->pids[i] = fork();
        assert_true(fleet->pids[i] >= 0);
        if (fleet->pids[i])
            continue;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        run_now = run;
        memory_now = memory;
        number_now = i;
        _exit(cmocka_run_group_tests(test, NULL, NULL) ? 1 : 0);
    }
}

void fleet_end(struct fleet *fleet)
{
    int failed = 0, status;

    for (int i = 0; i < fleet->count; i++) {
        if (!fleet->pids[i])
            continue;
        assert_int_equal(waitpid(fleet->pids[i], &status, 0), fleet->pids[i]);
        if (!WIFEXITED(status) || WEXITSTATUS(status))
            failed++;
    }
    assert_int_equal(failed, 0);
}

void fleet_kill(struct fleet *fleet, int number)
{
    int status;

    kill(fleet->pids[number], SIGKILL);
    waitpid(fleet->pids[number], &status, 0);
    fleet->pids[number] = 0;
}
