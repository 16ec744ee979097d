/* Probes, and what the server runs on. */
#include <unistd.h>

#include <storychain/cron.h>

#include "app/app.h"
#include "app/store/store.h"
#include "handlers.h"
#include "process.h"
#include "request.h"

sc_err route_healthz(struct request *request, sc_reason *ret_reason)
{
    (void)ret_reason;
    return answer_json_copy(request, 200, SC_S("{\"status\":\"ok\"}\n"));
}

static json_t *check_shape(sc_err err, const sc_reason *reason)
{
    if (!err)
        return json_pack("{s:b}", "ok", true);
    return json_pack("{s:b, s:s}", "ok", false, "reason",
                     reason->text[0] ? reason->text : sc_err_text(err));
}

/* A PING, not the state of the connection alone: a frozen server keeps its connections. */
static sc_err check_redis(sc_client *client)
{
    const sc_slice ping[] = {SC_S("PING")};
    sc_reply *reply = NULL;
    sc_err err;

    if (!sc_client_is_connected(client))
        return SC_ECONNECT;
    err = sc_client_call(client, ping, 1, &reply);
    if (!err && reply->type == SC_REPLY_ERROR)
        err = SC_EREPLY;
    sc_reply_free(reply);
    return err;
}

sc_err route_readyz(struct request *request, sc_reason *ret_reason)
{
    struct app *app = request->shared->app;
    sc_reason store_reason = {""}, redis_reason = {""};
    sc_err store_err = store_check(app->store, &store_reason);
    sc_err redis_err = check_redis(app->client);
    bool ready = !store_err && !redis_err;

    (void)ret_reason;
    return answer_value(request, ready ? 200 : 503,
                        json_pack("{s:s, s:{s:o, s:o}}", "status", ready ? "ready" : "not ready",
                                  "checks", "redis", check_shape(redis_err, &redis_reason), "store",
                                  check_shape(store_err, &store_reason)));
}

/* A URL without user and password: they are nobody's business. */
static json_t *shown_url(const char *url)
{
    const char *slashes = strstr(url, "://"), *at = slashes ? strrchr(slashes, '@') : NULL;

    if (!at)
        return json_string(url);
    return json_sprintf("%.*s%s", (int)(slashes + 3 - url), url, at + 1);
}

static json_t *redis_shape(struct app *app)
{
    sc_client_stats stats;
    sc_server_info info;

    sc_client_server(app->client, &info);
    sc_client_stats_get(app->client, &stats);
    return json_pack(
        "{s:b, s:s, s:s, s:b, s:o, s:I, s:I}", "connected", sc_client_is_connected(app->client),
        "software", info.software, "version", info.version, "embedded", app->redis != NULL, "where",
        shown_url(app->redis ? sc_embedded_url(app->redis) : app->opts.redis_url), "commands",
        (json_int_t)stats.commands, "reconnects", (json_int_t)stats.reconnects);
}

static json_t *cache_shape(struct app *app)
{
    sc_cache_stats s;

    sc_cache_stats_get(app->cache, &s);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "hits", (json_int_t)s.hits, "nearHits",
                     (json_int_t)s.near_hits, "misses", (json_int_t)s.misses, "shared",
                     (json_int_t)s.shared, "loads", (json_int_t)s.loads, "sets", (json_int_t)s.sets,
                     "errors", (json_int_t)s.errors);
}

static json_t *mail_shape(const struct app *app)
{
    if (app->opts.smtp_url)
        return shown_url(app->opts.smtp_url);
    return json_sprintf("maildir %s/mail", app->opts.state_dir);
}

/* The version of the time zones' data; null when it can't be told. */
static json_t *tzdb_shape(void)
{
    char version[SC_TZDB_VERSION_MAX + 1];

    return sc_tzdb_version(version) ? json_null() : json_string(version);
}

sc_err route_server(struct request *request, sc_reason *ret_reason)
{
    struct app *app = request->shared->app;
    struct process_info process;

    (void)ret_reason;
    process_look(&process);
    return answer_value(request, 200,
                        json_pack("{s:s, s:o, s:i, s:I, s:I, s:f, s:o, s:o, s:s, s:o}", "version",
                                  sc_version(), "tzdb", tzdb_shape(), "pid", (int)getpid(),
                                  "startedMs", (json_int_t)process.started_ms, "residentBytes",
                                  (json_int_t)process.resident_bytes, "cpuSeconds", process.cpu_s,
                                  "redis", redis_shape(app), "cache", cache_shape(app), "store",
                                  store_where(app->store), "mail", mail_shape(app)));
}
