/* storychain cache watch: which keys change, and how many reads hit, as it happens, until the user ends it. */
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

#include <storychain/cache_watch.h>

#include "app/job_shapes.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/str.h"
#include "cache_figures.h"
#include "cmds.h"
#include "connect.h"
#include "server_info.h"
#include "signals.h"

enum { LINE_MAX_BYTES = 64 * 1024, NAP_MS = 50 };

struct watched {
    struct cli *cli;
    bool is_quiet; /* only the figures */
    atomic_int_fast64_t changes;
};

static void print_line(const sc__str *line)
{
    printf("%.*s\n", (int)line->len, line->ptr);
    if (fflush(stdout))
        kill(getpid(), SIGTERM); /* nobody reads any more: the end, as if asked for */
}

/* On the watch's thread. Waiting for a slow reader of our output holds back nobody but ourselves. */
static void on_change(void *user, sc_slice key)
{
    struct watched *w = user;
    AUTO_STR line = STR_MAX(LINE_MAX_BYTES);

    atomic_fetch_add(&w->changes, 1);
    if (w->is_quiet)
        return;
    sc__str_text(&line, w->cli->json ? "{\"changed\":" : "changed ");
    if (key.ptr)
        sc__str_json(&line, key);
    else
        sc__str_text(&line, w->cli->json ? "null" : "perhaps everything");
    if (w->cli->json)
        sc__str_char(&line, '}');
    if (!line.err)
        print_line(&line);
}

/* Reads at one moment: those of the running server's cache, or when none runs all of Redis. */
struct counters {
    int64_t hits, misses;
};

static sc_err read_redis(sc_client *client, struct counters *ret_counters, sc_reason *ret_reason)
{
    const char *info;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, 1024 * 1024);
    err = server_info_read(client, &arena, &info, ret_reason);
    if (!err)
        *ret_counters = (struct counters){server_info_int(info, "keyspace_hits"),
                                          server_info_int(info, "keyspace_misses")};
    sc__arena_release(&arena);
    return err;
}

static bool read_server(const char *url, struct counters *ret_counters)
{
    AUTO_JSON *figures = cache_figures_read(url);

    if (!figures)
        return false;
    ret_counters->hits = sc__json_int(figures, "hits", 0) + sc__json_int(figures, "near_hits", 0);
    ret_counters->misses = sc__json_int(figures, "misses", 0);
    return true;
}

static void print_figures(struct watched *w, int64_t hits, int64_t misses)
{
    const int64_t changes = atomic_exchange(&w->changes, 0);
    AUTO_STR line = STR_MAX(LINE_MAX_BYTES);

    if (w->cli->json)
        sc__str_printf(&line, "{\"hits\":%lld,\"misses\":%lld,\"changes\":%lld}", (long long)hits,
                       (long long)misses, (long long)changes);
    else if (hits + misses)
        sc__str_printf(&line, "%.1f %% of %lld reads hit, %lld keys changed",
                       100 * (double)hits / (double)(hits + misses), (long long)(hits + misses),
                       (long long)changes);
    else
        sc__str_printf(&line, "nothing was read, %lld keys changed", (long long)changes);
    print_line(&line);
}

/* Until a signal comes, or who is asked doesn't answer. `url` (NULL: Redis is asked) is the server's. */
static sc_err follow(struct watched *w, sc_client *client, const char *url, int64_t every_ms,
                     sc_reason *ret_reason)
{
    struct counters last = {0, 0}, now = {0, 0};
    int64_t next_ms = sc__mono_ms();
    bool is_first = true;
    sc_err err = SC_OK;

    for (; !err && !signals_came(); poll(NULL, 0, NAP_MS)) {
        if (sc__mono_ms() < next_ms)
            continue;
        next_ms += every_ms;
        if (!url)
            err = read_redis(client, &now, ret_reason);
        else if (!read_server(url, &now))
            err = sc__because(ret_reason, SC_ECONNECT, "StoryChain no longer answers at %s", url);
        if (!err && !is_first)
            print_figures(w, now.hits - last.hits, now.misses - last.misses);
        is_first = false;
        last = now;
    }
    return err;
}

static int watch(struct cli *cli, sc_client *client, int64_t every_ms)
{
    struct watched w = {.cli = cli, .is_quiet = cli_flag(cli, "quiet")};
    const char *prefix = cli->word_count ? cli->words[0] : "sc:";
    const char *url = sc__arena_printf(&cli->arena, "http://%s/metrics", cli->options.listen);
    struct counters counters;
    sc_cache_watch *watch;
    sc_reason why = {""};
    sc_err err = sc_cache_watch_start(client, prefix, on_change, &w, &watch, &why);

    if (err)
        return cli_fail_err(cli, err, &why, NULL);
    if (url && !read_server(url, &counters))
        url = NULL;
    err = follow(&w, client, url, every_ms, &why);
    sc_cache_watch_stop(watch);
    return err ? cli_fail_err(cli, err, &why, NULL) : EXIT_OK;
}

int cmd_cache_watch(struct cli *cli)
{
    int64_t every_ms;
    sc_client *client;
    int code;

    if (!cli_flag_time(cli, "every", 5000, &every_ms))
        return EXIT_USAGE;
    if (every_ms < 100)
        return cli_fail(cli, EXIT_USAGE, "--every: at least 100ms");
    if (!signals_start())
        return cli_fail(cli, EXIT_FAILED, "there is no room for a thread");
    signals_note();
    code = cli_connect(cli, &client);
    if (code)
        return code;
    code = watch(cli, client, every_ms);
    sc_client_free(client);
    return code;
}
