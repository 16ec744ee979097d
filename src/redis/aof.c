#include "aof.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

enum { WITHIN_MS = 60000, PAUSE_MS = 5 };

/* Of Redis 7 and later, or before. */
static bool find_log(const char *folder, char path[PATH_MAX])
{
    static const char *const names[] = {"appendonlydir/appendonly.aof.manifest", "appendonly.aof"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (snprintf(path, PATH_MAX, "%s/%s", folder, names[i]) < PATH_MAX &&
            access(path, R_OK | W_OK) == 0)
            return true;
    return false;
}

static bool is_server(const char *program)
{
    const char *slash = strrchr(program, '/'), *name = slash ? slash + 1 : program;

    return !strcmp(name, "redis-server") || !strcmp(name, "valkey-server");
}

/* In the child: system calls only. By that name the server is its checker; it asks before it cuts, and reads the answer from `yes`. */
static _Noreturn void become(const char *program, const char *path, int yes, int log, pid_t parent)
{
    const char *const argv[] = {"redis-check-aof", "--fix", path, NULL};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(127);
    setsid();
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(yes, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    close_range(3, ~0u, 0);
    execv(program, (char *const *)argv);
    _exit(127);
}

static void await_end(pid_t pid)
{
    int64_t until_ms = sc__mono_ms() + WITHIN_MS;

    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (sc__mono_ms() > until_ms)
            kill(pid, SIGKILL);
        poll(NULL, 0, PAUSE_MS);
    }
}

void sc__aof_mend(const char *program, const char *folder, const char *log_path)
{
    int yes[2] = {-1, -1}, log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    char path[PATH_MAX];
    pid_t parent = getpid(), pid = -1;

    if (log >= 0 && is_server(program) && find_log(folder, path) && !pipe2(yes, O_CLOEXEC) &&
        write(yes[1], "y\n", 2) == 2)
        pid = fork();
    if (pid == 0)
        become(program, path, yes[0], log, parent);
    for (int i = 0; i < 2; i++)
        if (yes[i] >= 0)
            close(yes[i]);
    if (log >= 0)
        close(log);
    if (pid > 0)
        await_end(pid);
}
