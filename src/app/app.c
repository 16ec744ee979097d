#include "app.h"

#include <sys/stat.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"

#include "app/jobs/jobs.h"
#include "app/mail/mailer.h"
#include "app/paths.h"
#include "app/processors.h"
#include "app/queues.h"
#include "app/schedules.h"
#include "app/services/analytics.h"
#include "app/services/notifications.h"
#include "app/teller.h"
#include "app/watchdog.h"

enum { REDIS_READY_MS = 10000, TEXTS_MAX = 256 * 1024, CACHE_BYTES = 32 * 1024 * 1024 };

/* What app_start made; the texts of its options. */
struct whole {
    struct app app; /* first: an app is its whole */
    sc__arena texts;
};

static sc__arena *texts_of(struct app *app)
{
    return &((struct whole *)app)->texts;
}

/* Fails the start with the part's name in front of its reason. */
static sc_err failed(const char *part, sc_err err, const sc_reason *why, sc_reason *ret_reason)
{
    return sc__because(ret_reason, err, "%s: %s", part,
                       why->text[0] ? why->text : sc_err_text(err));
}

/* ---- The parts, in order ---- */

static const char *copy(struct app *app, const char *text, const char *otherwise, bool *full)
{
    const char *chosen = text ? text : otherwise;
    char *own = chosen ? sc__arena_dup(texts_of(app), sc_slice_of(chosen)) : NULL;

    *full |= chosen && !own;
    return own;
}

static sc_err take_opts(struct app *app, const struct app_opts *opts, sc_reason *ret_reason)
{
    struct app_opts *o = &app->opts;
    bool full = false;

    *o = *opts;
    o->state_dir = copy(app, opts->state_dir, NULL, &full);
    o->redis_url = copy(app, opts->redis_url, NULL, &full);
    o->redis_program = copy(app, opts->redis_program, NULL, &full);
    o->store_url = copy(app, opts->store_url, NULL, &full);
    o->smtp_url = copy(app, opts->smtp_url, NULL, &full);
    o->mail_from = copy(app, opts->mail_from, "StoryChain <storychain@localhost>", &full);
    o->site_url = copy(app, opts->site_url, "http://127.0.0.1:8080", &full);
    o->queue_prefix = copy(app, opts->queue_prefix, "bull", &full);
    return full ? sc__because(ret_reason, SC_ENOMEM, "out of memory") : SC_OK;
}

static sc_err start_store(struct app *app, sc_reason *ret_reason)
{
    sc_reason why = {""};
    sc_err err = state_folder_make(app->opts.state_dir, ret_reason);

    if (err)
        return err;
    if (!app->opts.store_url)
        app->opts.store_url = state_store_url(app->opts.state_dir, texts_of(app));
    if (!app->opts.store_url)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = store_open(app->opts.store_url, &app->store, &why);
    return err ? failed("the database", err, &why, ret_reason) : SC_OK;
}

static sc_err start_own_redis(struct app *app, sc_reason *ret_reason)
{
    const char *folder = state_redis_folder(app->opts.state_dir, texts_of(app));
    sc_err err;

    if (!folder)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = state_folder_make(folder, ret_reason);
    if (!err)
        err = sc_embedded_start(folder, app->opts.redis_program, &app->redis, ret_reason);
    if (!err)
        err = watchdog_start(app->redis, &app->watchdog, ret_reason);
    return err;
}

static sc_err start_redis(struct app *app, sc_reason *ret_reason)
{
    sc_client_opts opts = {.url = app->opts.redis_url, .name = "storychain"};
    sc_reason why = {""};
    sc_err err = SC_OK;

    if (!opts.url) {
        err = start_own_redis(app, &why);
        if (err)
            return failed("Redis", err, &why, ret_reason);
        opts.url = sc_embedded_url(app->redis);
    }
    err = sc_client_new(&opts, &app->client, &why);
    if (!err)
        err = sc_client_wait_ready(app->client, REDIS_READY_MS, &why);
    return err ? failed("Redis", err, &why, ret_reason) : SC_OK;
}

sc_cache_opts app_cache_opts(void)
{
    return (sc_cache_opts){.near_bytes = CACHE_BYTES, .near_confirms = true};
}

static sc_err start_cache(struct app *app, sc_reason *ret_reason)
{
    sc_cache_opts opts = app_cache_opts();
    sc_reason why = {""};
    sc_err err;

    opts.timeout_ms = app->opts.cache_timeout_ms;
    err = sc_cache_new(app->client, &opts, &app->cache, &why);
    return err ? failed("the cache", err, &why, ret_reason) : SC_OK;
}

static sc_err start_mailer(struct app *app, sc_reason *ret_reason)
{
    struct mailer_opts opts = {
        .smtp_url = app->opts.smtp_url,
        .maildir = state_mail_folder(app->opts.state_dir, texts_of(app)),
        .from = app->opts.mail_from,
        .site_url = app->opts.site_url,
    };
    sc_reason why = {""};
    sc_err err;

    if (!opts.maildir)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = mailer_new(&opts, &app->mailer, &why);
    return err ? failed("mail", err, &why, ret_reason) : SC_OK;
}

static sc_err start_services(struct app *app, sc_reason *ret_reason)
{
    sc_reason why = {""};
    sc_err err = queues_initialize(app->client, app->opts.queue_prefix, &app->queues, &why);

    if (err)
        return failed("the queues", err, &why, ret_reason);
    err = analytics_new(app->store, &app->analytics, ret_reason);
    if (!err)
        err = notifier_new(app->store, app->cache, app->queues, &app->notifier, ret_reason);
    app->catalog = (struct catalog){app->store, app->cache, app->notifier};
    return err;
}

static sc_err start_processors(struct app *app, sc_reason *ret_reason)
{
    sc_reason why = {""};
    sc_err err = app->opts.run_processors ? processors_register(app, &why) : SC_OK;

    return err ? failed("the processors", err, &why, ret_reason) : SC_OK;
}

static sc_err start_teller(struct app *app, sc_reason *ret_reason)
{
    return app->opts.run_processors ? teller_start(&app->catalog, &app->teller, ret_reason) : SC_OK;
}

static sc_err start_schedules(struct app *app, sc_reason *ret_reason)
{
    sc_reason why = {""};
    sc_err err;

    if (!app->opts.run_schedules) {
        err =
            app->opts.run_processors ? schedules_guard(app->queues, &app->schedules, &why) : SC_OK;
        return err ? failed("the schedules", err, &why, ret_reason) : SC_OK;
    }
    err = schedules_initialize(app->queues, &app->schedules, &why);
    if (!err)
        err = queues_register_processor(app->queues, QUEUE_SCHEDULED, process_scheduled, app, &why);
    return err ? failed("the schedules", err, &why, ret_reason) : SC_OK;
}

sc_err app_start(const struct app_opts *opts, struct app **ret_app, sc_reason *ret_reason)
{
    static sc_err (*const parts[])(struct app *, sc_reason *) = {
        start_store,    start_redis,      start_cache,  start_mailer,
        start_services, start_processors, start_teller, start_schedules,
    };
    struct whole *whole = sc__calloc(1, sizeof(*whole));
    sc_err err;

    if (!whole)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    sc__arena_init(&whole->texts, TEXTS_MAX);
    err = take_opts(&whole->app, opts, ret_reason);
    for (size_t i = 0; !err && i < sizeof(parts) / sizeof(*parts); i++)
        err = parts[i](&whole->app, ret_reason);
    if (err) {
        app_stop(&whole->app, 0, NULL);
        return err;
    }
    *ret_app = &whole->app;
    return SC_OK;
}

/* Everything bears to be stopped half-made: that is how a failed start ends. */
void app_stop(struct app *app, int64_t drain_ms, int *ret_handed_back)
{
    if (!app)
        return;
    schedules_destroy(app->schedules);
    teller_stop(app->teller);
    queues_destroy(app->queues, drain_ms, ret_handed_back);
    notifier_free(app->notifier);
    analytics_free(app->analytics);
    mailer_free(app->mailer);
    sc_cache_free(app->cache);
    sc_client_free(app->client);
    watchdog_stop(app->watchdog);
    sc_embedded_stop(app->redis);
    store_close(app->store);
    sc__arena_release(texts_of(app));
    sc_free(app);
}
