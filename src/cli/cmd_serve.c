/* storychain serve, storychain worker: the programs that stay. */
#include "app/app.h"
#include "app/import/import.h"
#include "app/store/store.h"
#include "app/job_shapes.h"
#include "app/mail/mailer.h"
#include "base/log.h"
#include "cmds.h"
#include "connect.h"
#include "logger.h"
#include "server/http.h"
#include "server/listen.h"
#include "signals.h"

#include <unistd.h>

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

static void say_where_json(struct cli *cli, const struct app *app, const sc_server_info *info,
                           const char *url)
{
    const char *redis = app->redis ? sc_embedded_url(app->redis) : NULL;
    json_t *shape = json_object();

    json_object_set_new(shape, "version", json_string(sc_version()));
    json_object_set_new(shape, "url", url ? json_string(url) : json_null());
    json_object_set_new(shape, "redis", redis ? json_string(redis) : json_null());
    json_object_set_new(shape, "redisSoftware", json_string(info->software));
    json_object_set_new(shape, "redisVersion", json_string(info->version));
    json_object_set_new(shape, "data", text_shape(sc_slice_of(store_where(app->store))));
    json_object_set_new(shape, "mail", text_shape(sc_slice_of(mailer_where(app->mailer))));
    json_object_set_new(shape, "stateDir", text_shape(sc_slice_of(app->opts.state_dir)));
    json_object_set_new(shape, "pid", json_integer(getpid()));
    cli_print_json(cli, shape);
}

static void say_where_text(const struct cli *cli, const struct app *app, const sc_server_info *info,
                           const char *url)
{
    if (url)
        printf("StoryChain %s is at  %s\n\n", sc_version(), url);
    else
        printf("StoryChain %s works on jobs\n\n", sc_version());
    if (app->redis)
        printf("  Redis     %s %s, our own: %s\n", info->software, info->version,
               sc_embedded_url(app->redis));
    else
        printf("  Redis     %s %s, --redis-url\n", info->software, info->version);
    printf("  data      %s\n", store_where(app->store));
    if (app->opts.smtp_url)
        printf("  mail      by the server of --smtp-url\n");
    else
        printf("  mail      %s/mail (a maildir; name a server with SMTP_URL)\n",
               app->opts.state_dir);
    printf("  state     %s\n", app->opts.state_dir);
    if (url)
        printf(
            "\n  try       curl '%s/api/stories?list=new'\n            storychain queue list%s%s\n",
            url, cli->options.state_dir_given ? " --state-dir " : "",
            cli->options.state_dir_given ? cli->options.state_dir : "");
    printf("  end       Ctrl-C\n\n");
}

static void say_where(struct cli *cli, const struct app *app, const char *url)
{
    sc_server_info info;

    sc_client_server(app->client, &info);
    if (cli->json)
        say_where_json(cli, app, &info, url);
    else
        say_where_text(cli, app, &info, url);
    fflush(stdout);
}

/* So that a newcomer finds something to look at. A sample that can't be imported is no reason not to serve. */
static void import_sample(struct app *app)
{
    sc_reason reason = {""};
    size_t imported;

    if (sample_import(&app->catalog, &imported, &reason))
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

/* With the socket that is open already, so that a busy port is said before anything else starts. Frees nothing of
 * the app. */
static int serve(struct cli *cli, struct app *app, int socket)
{
    struct http_opts opts = {
        .app = app, .socket = socket, .allow_remote = cli->options.allow_remote};
    sc_reason reason = {""};
    struct http *http;
    sc_err err;

    if (cli_flag(cli, "sample"))
        import_sample(app);
    err = http_start(&opts, &http, &reason);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    say_where(cli, app, http_url(http));
    signals_wait();
    http_stop(http);
    return EXIT_OK;
}

int cmd_serve(struct cli *cli)
{
    struct app_opts opts = app_opts_of(&cli->options);
    char url[LISTEN_URL];
    sc_reason reason = {""};
    struct app *app;
    int socket, code;
    sc_err err;

    if (!signals_start())
        return cli_fail_err(cli, SC_ENOMEM, NULL, NULL);
    logger_start(cli->options.log_level, cli->options.log_format);
    err = listen_open(cli->options.listen, cli->options.allow_remote, &socket, url, &reason);
    if (err == SC_EPERM)
        return cli_fail(cli, EXIT_REFUSED, "%s", reason.text);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    opts.site_url = opts.site_url ? opts.site_url : url;
    err = app_start(&opts, &app, &reason);
    if (err) {
        close(socket);
        return cli_fail_err(cli, err, &reason, NULL);
    }
    code = serve(cli, app, socket);
    if (!code)
        return stop(cli, app);
    app_stop(app, 0, NULL);
    return code;
}

int cmd_worker(struct cli *cli)
{
    struct app_opts opts = app_opts_of(&cli->options);
    sc_reason reason = {""};
    struct app *app;
    sc_err err;

    if (!signals_start())
        return cli_fail_err(cli, SC_ENOMEM, NULL, NULL);
    logger_start(cli->options.log_level, cli->options.log_format);
    opts.run_schedules = false;
    opts.redis_url = cli_redis_url(cli);
    if (!opts.redis_url)
        return EXIT_UNREACHABLE;
    if (!opts.site_url) /* where the serve beside it listens, by the same options */
        opts.site_url = sc__arena_printf(&cli->arena, "http://%s", cli->options.listen);
    err = app_start(&opts, &app, &reason);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    say_where(cli, app, NULL);
    signals_wait();
    return stop(cli, app);
}
