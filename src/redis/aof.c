#include "aof.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "child.h"

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

static void await_end(pid_t pid)
{
    int64_t until_ms = sc__mono_ms() + WITHIN_MS;

    while (waitpid(pid, NULL, WNOHANG) == 0) {
        if (sc__mono_ms() > until_ms)
            kill(pid, SIGKILL);
        poll(NULL, 0, PAUSE_MS);
    }
}

/* By that name the server is its checker; it asks before it cuts, and reads the answer from its input. */
void sc__aof_mend(const char *program, const char *folder, const char *log_path)
{
    char path[PATH_MAX];
    const char *const argv[] = {"redis-check-aof", "--fix", path, NULL};
    int yes[2] = {-1, -1}, log = open(log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    pid_t parent = getpid(), pid = -1;

    if (log >= 0 && is_server(program) && find_log(folder, path) && !pipe2(yes, O_CLOEXEC) &&
        write(yes[1], "y\n", 2) == 2)
        pid = fork();
    if (pid == 0)
        sc__child_become(program, argv, yes[0], log, SIGKILL, parent);
    for (int i = 0; i < 2; i++)
        if (yes[i] >= 0)
            close(yes[i]);
    if (log >= 0)
        close(log);
    if (pid > 0)
        await_end(pid);
}
