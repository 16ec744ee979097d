/* storychain serve, storychain worker: the programs that stay. */
#include "app/app.h"
#include "app/import/import.h"
#include "app/store/store.h"
#include "base/log.h"
#include "cmds.h"
#include "connect.h"
#include "logger.h"
#include "server/http.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

/* SIGTERM and SIGINT, blocked before any thread starts, so that sigwait() alone gets them. */
static void block_signals(sigset_t *set)
{
    sigemptyset(set);
    sigaddset(set, SIGTERM);
    sigaddset(set, SIGINT);
    pthread_sigmask(SIG_BLOCK, set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* A second signal while the first is being followed: the user means now. Jobs under way are taken up by another
 * worker when their locks end. */
static void *leave_at_once(void *arg)
{
    int number;

    sigwait(arg, &number);
    _exit(EXIT_FAILED);
}

static void wait_for_signal(sigset_t *set)
{
    static sigset_t second;
    pthread_t thread;
    int number;

    sigwait(set, &number);
    sc__log(SC_LOG_INFO, "%s: finishing what runs (once more: leave at once)",
            number == SIGINT ? "interrupted" : "asked to end");
    second = *set;
    if (!pthread_create(&thread, NULL, leave_at_once, &second))
        pthread_detach(thread);
}

static struct app_opts app_opts_of(const struct options *o)
{
    return (struct app_opts){
        .state_dir = o->state_dir,
        .redis_url = o->redis_url,
        .store_url = o->store_url,
        .smtp_url = o->smtp_url,
        .mail_from = o->mail_from,
        .site_url = o->site_url,
        .queue_prefix = o->prefix,
        .run_processors = true,
        .run_schedules = true,
    };
}

static void say_where(const struct app *app, const char *url)
{
    sc_server_info info;

    sc_client_server(app->client, &info);
    if (url)
        printf("StoryChain %s is at  %s\n\n", sc_version(), url);
    else
        printf("StoryChain %s works on jobs\n\n", sc_version());
    if (app->redis)
        printf("  Redis     %s %s, our own: %s\n", info.software, info.version,
               sc_embedded_url(app->redis));
    else
        printf("  Redis     %s %s, --redis-url\n", info.software, info.version);
    printf("  data      %s\n", store_where(app->store));
    if (app->opts.smtp_url)
        printf("  mail      by the server of --smtp-url\n");
    else
        printf("  mail      %s/mail (a maildir; name a server with SMTP_URL)\n",
               app->opts.state_dir);
    printf("  state     %s\n", app->opts.state_dir);
    if (url)
        printf("\n  try       curl %s/api/stories?list=new\n            storychain queue list\n",
               url);
    printf("  end       Ctrl-C\n\n");
    fflush(stdout);
}

/* So that a newcomer finds something to look at. A sample that can't be imported is no reason not to serve. */
static void import_sample(struct app *app)
{
    sc_reason reason = {""};
    size_t imported;

    if (sample_import(app->store, &imported, &reason))
        sc__log(SC_LOG_WARN, "the sample story is not imported: %s", reason.text);
    else if (imported)
        sc__log(SC_LOG_INFO, "the sample story is imported");
}

static int stop(struct cli *cli, struct app *app)
{
    int handed_back = 0;

    app_stop(app, cli->options.drain_ms, &handed_back);
    if (handed_back)
        sc__log(SC_LOG_WARN, "%d jobs did not finish in time and were handed back to their queues",
                handed_back);
    sc__log(SC_LOG_INFO, "ended");
    return EXIT_OK;
}

int cmd_serve(struct cli *cli)
{
    struct app_opts app_opts = app_opts_of(&cli->options);
    struct http_opts http_opts = {.listen = cli->options.listen,
                                  .allow_remote = cli->options.allow_remote};
    sc_reason reason = {""};
    struct http *http;
    struct app *app;
    sigset_t set;
    sc_err err;

    block_signals(&set);
    logger_start(cli->options.log_level, cli->options.log_format);
    err = app_start(&app_opts, &app, &reason);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    http_opts.app = app;
    if (cli_flag(cli, "sample"))
        import_sample(app);
    err = http_start(&http_opts, &http, &reason);
    if (err) {
        app_stop(app, 0, NULL);
        return cli_fail_err(cli, err, &reason, NULL);
    }
    say_where(app, http_url(http));
    wait_for_signal(&set);
    http_stop(http);
    return stop(cli, app);
}

int cmd_worker(struct cli *cli)
{
    struct app_opts app_opts = app_opts_of(&cli->options);
    sc_reason reason = {""};
    struct app *app;
    sigset_t set;
    sc_err err;

    block_signals(&set);
    logger_start(cli->options.log_level, cli->options.log_format);
    app_opts.run_schedules = false;
    app_opts.redis_url = cli_redis_url(cli);
    if (!app_opts.redis_url)
        return EXIT_UNREACHABLE;
    err = app_start(&app_opts, &app, &reason);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    say_where(app, NULL);
    wait_for_signal(&set);
    return stop(cli, app);
}
