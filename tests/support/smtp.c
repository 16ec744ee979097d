#include "smtp.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char *read_file(const char *path)
{
    FILE *in = fopen(path, "r");
    char *text;
    size_t len;

    if (!in)
        return NULL;
    text = calloc(1, 1024 * 1024);
    assert_non_null(text);
    len = fread(text, 1, 1024 * 1024 - 1, in);
    text[len] = '\0';
    fclose(in);
    return text;
}

static void spawn(const struct test_smtp *smtp, const char *const *more_args)
{
    /* Debian's own Python has aiosmtpd; another one first on PATH need not. */
    const char *argv[16] = {"/usr/bin/python3", SC_SOURCE_DIR "/tests/support/smtp_server.py",
                            smtp->folder};

    for (size_t i = 0; more_args && more_args[i] && i < 12; i++)
        argv[3 + i] = more_args[i];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    execv(argv[0], (char *const *)argv);
    fprintf(stderr, "cannot run %s: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static bool is_up(struct test_smtp *smtp)
{
    char path[128];
    char *port;

    snprintf(path, sizeof(path), "%s/port", smtp->folder);
    port = read_file(path);
    smtp->port = port ? atoi(port) : 0;
    free(port);
    return smtp->port > 0;
}

void test_smtp_start(struct test_smtp *smtp, const char *const *more_args)
{
    static int count;

    snprintf(smtp->folder, sizeof(smtp->folder), "%s/smtp%d", test_folder(), count++);
    assert_int_equal(mkdir(smtp->folder, 0700), 0);
    smtp->pid = fork();
    assert_true(smtp->pid >= 0);
    if (smtp->pid == 0)
        spawn(smtp, more_args);
    wait_until(is_up(smtp));
    snprintf(smtp->url, sizeof(smtp->url), "smtp://127.0.0.1:%d", smtp->port);
}

void test_smtp_stop(struct test_smtp *smtp)
{
    int status;

    kill(smtp->pid, SIGTERM);
    waitpid(smtp->pid, &status, 0);
}

char *test_smtp_mail(const struct test_smtp *smtp, int n)
{
    char path[128];

    snprintf(path, sizeof(path), "%s/%d.eml", smtp->folder, n);
    return read_file(path);
}
