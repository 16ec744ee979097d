#include "peer.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

void die(const char *what, sc_err err, const sc_reason *reason)
{
    fprintf(stderr, "%s: %s: %s %s\n", program_invocation_short_name, what, sc_err_name(err),
            reason ? reason->text : "");
    exit(1);
}

sc_client *connect_client(void)
{
    const char *port = getenv("BENCH_PORT");
    sc_client_opts opts = {.command_timeout_ms = 60000};
    sc_reason reason = {""};
    sc_client *client;
    char url[64];
    sc_err err;

    snprintf(url, sizeof(url), "redis://127.0.0.1:%s", port ? port : "7391");
    opts.url = url;
    err = sc_client_new(&opts, &client, &reason);
    if (!err)
        err = sc_client_wait_ready(client, 10000, &reason);
    if (err)
        die(url, err, &reason);
    return client;
}

void block_sigterm(void)
{
    sigset_t term;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &term, NULL);
}

void await_sigterm(void)
{
    sigset_t term;
    int number;

    sigemptyset(&term);
    sigaddset(&term, SIGTERM);
    sigwait(&term, &number);
}
