#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/mem.h"

enum { STACK = 128 * 1024, LOG_KEPT = 1024 * 1024 };

struct sc__child {
    const char *const *argv;
    const char *log_path;
    pthread_t keeper;
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    bool start_wanted, end_wanted; /* told to the keeper */
    bool up;                       /* from before the fork until its end was seen, not reaped yet */
    bool failed;                   /* to fork */
    pid_t pid;
};

_Noreturn void sc__child_become(const char *program, const char *const *argv, int in_fd, int out_fd,
                                int death_signal, pid_t parent)
{
    static const char sorry[] = "this program can't be run\n";
    struct sigaction by_default = {.sa_handler = SIG_DFL};
    sigset_t none;

    prctl(PR_SET_PDEATHSIG, death_signal);
    if (getppid() != parent)
        _exit(127);
    setsid();
    for (int i = 1; i < NSIG; i++)
        sigaction(i, &by_default, NULL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    umask(077);
    dup2(in_fd, STDIN_FILENO);
    dup2(out_fd, STDOUT_FILENO);
    dup2(out_fd, STDERR_FILENO);
    close_range(3, ~0u, 0);
    execv(program, (char *const *)argv);
    if (write(STDERR_FILENO, sorry, sizeof(sorry) - 1) < 0)
        _exit(126);
    _exit(127);
}

static int open_log(const char *path)
{
    struct stat st;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > LOG_KEPT && ftruncate(fd, 0))
        return fd; /* a long log is no reason not to start */
    return fd;
}

static void spawn(sc__child *child)
{
    pid_t parent = getpid();
    int log_fd = open_log(child->log_path);

    child->pid = log_fd < 0 ? -1 : fork();
    if (child->pid == 0)
        sc__child_become(child->argv[0], child->argv, open("/dev/null", O_RDONLY), log_fd, SIGTERM,
                         parent);
    child->up = child->pid > 0;
    child->failed = !child->up;
    if (log_fd >= 0)
        close(log_fd);
}

/* Until its end is seen. It is reaped under the mutex, so that while `up` is true its pid is its own. */
static void await_end(sc__child *child)
{
    siginfo_t info;

    pthread_mutex_unlock(&child->mutex);
    while (waitid(P_PID, (id_t)child->pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
        ;
    pthread_mutex_lock(&child->mutex);
    child->up = false;
    waitpid(child->pid, NULL, 0);
    pthread_cond_broadcast(&child->changed);
}

static void *keep(void *arg)
{
    sc__child *child = arg;

    pthread_setname_np(pthread_self(), "sc-keeper");
    pthread_mutex_lock(&child->mutex);
    for (;;) {
        while (!child->start_wanted && !child->end_wanted)
            pthread_cond_wait(&child->changed, &child->mutex);
        if (child->end_wanted)
            break;
        child->start_wanted = false;
        spawn(child);
        pthread_cond_broadcast(&child->changed);
        if (child->up)
            await_end(child);
    }
    pthread_mutex_unlock(&child->mutex);
    return NULL;
}

static bool start_keeper(sc__child *child)
{
    sigset_t all, before;
    pthread_attr_t attr;
    int rc;

    /* The program's signals are for its own threads. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK);
    rc = pthread_create(&child->keeper, &attr, keep, child);
    pthread_attr_destroy(&attr);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return rc == 0;
}

sc_err sc__child_new(const char *const *argv, const char *log_path, sc__child **ret_child)
{
    sc__child *child = sc__calloc(1, sizeof(*child));

    if (!child)
        return SC_ENOMEM;
    child->argv = argv;
    child->log_path = log_path;
    sc__cond_init(&child->changed);
    pthread_mutex_init(&child->mutex, NULL);
    if (!start_keeper(child)) {
        pthread_cond_destroy(&child->changed);
        pthread_mutex_destroy(&child->mutex);
        sc_free(child);
        return SC_ENOMEM;
    }
    *ret_child = child;
    return SC_OK;
}

sc_err sc__child_start(sc__child *child)
{
    bool failed;

    pthread_mutex_lock(&child->mutex);
    if (!child->up) {
        child->failed = false;
        child->start_wanted = true;
        pthread_cond_broadcast(&child->changed);
    }
    while (child->start_wanted)
        pthread_cond_wait(&child->changed, &child->mutex);
    failed = child->failed;
    pthread_mutex_unlock(&child->mutex);
    return failed ? SC_EIO : SC_OK;
}

bool sc__child_is_up(sc__child *child)
{
    bool up;

    pthread_mutex_lock(&child->mutex);
    up = child->up;
    pthread_mutex_unlock(&child->mutex);
    return up;
}

int64_t sc__child_pid(sc__child *child)
{
    int64_t pid;

    pthread_mutex_lock(&child->mutex);
    pid = child->pid;
    pthread_mutex_unlock(&child->mutex);
    return pid;
}

void sc__child_stop(sc__child *child, int64_t timeout_ms)
{
    const struct timespec until = sc__cond_after(timeout_ms);
    int rc = 0;

    pthread_mutex_lock(&child->mutex);
    if (child->up)
        kill(child->pid, SIGTERM);
    while (child->up && !rc)
        rc = pthread_cond_timedwait(&child->changed, &child->mutex, &until);
    if (child->up)
        kill(child->pid, SIGKILL);
    while (child->up)
        pthread_cond_wait(&child->changed, &child->mutex);
    pthread_mutex_unlock(&child->mutex);
}

void sc__child_free(sc__child *child)
{
    if (!child)
        return;
    sc__child_stop(child, 0);
    pthread_mutex_lock(&child->mutex);
    child->end_wanted = true;
    pthread_cond_broadcast(&child->changed);
    pthread_mutex_unlock(&child->mutex);
    pthread_join(child->keeper, NULL);
    pthread_cond_destroy(&child->changed);
    pthread_mutex_destroy(&child->mutex);
    sc_free(child);
}
