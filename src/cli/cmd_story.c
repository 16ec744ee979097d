/* storychain story …: importing stories and listing them. */
#include <storychain/cache.h>

#include "app/import/import.h"
#include "app/job_shapes.h"
#include "app/services/stories.h"
#include "base/clock.h"
#include "base/iso8601.h"
#include "cmds.h"
#include "connect.h"
#include "table.h"

#include <unistd.h>

enum { IMPORT_ARENA = 256 * 1024 * 1024, PROGRESS_EVERY_MS = 100 };

struct progress {
    const char *path;
    int64_t shown_ms;
    bool terminal;
};

/* One line that is written over, on a terminal only. */
static void show_progress(void *user, size_t done, size_t total)
{
    struct progress *p = user;
    int64_t now = sc__mono_ms();

    if (!p->terminal || (done < total && now - p->shown_ms < PROGRESS_EVERY_MS))
        return;
    p->shown_ms = now;
    fprintf(stderr, "\r%s: %zu of %zu chapters%s", p->path, done, total,
            done == total ? "\r\x1b[K" : "");
}

static void say_imported(const struct cli *cli, const struct import_result *result)
{
    printf(cli->json ? "{\"slug\":\"%.*s\",\"chapters\":%zu}\n" : "%.*s: %zu %s imported\n",
           (int)result->slug.len, result->slug.ptr, result->chapters,
           result->chapters == 1 ? "chapter" : "chapters");
}

static int import_one(struct cli *cli, const struct catalog *catalog, const char *path)
{
    struct progress progress = {.path = path, .terminal = isatty(STDERR_FILENO) && !cli->json};
    struct import_result result;
    sc_reason reason = {""};
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, IMPORT_ARENA);
    err = story_import(catalog->store, path, show_progress, &progress, &arena, &result, &reason);
    if (!err) {
        if (catalog->cache)
            story_changed(catalog, result.story_id);
        say_imported(cli, &result);
    }
    sc__arena_release(&arena);
    /* A file that does not fit is a failure of the work, not of how the command was written. */
    return err ? cli_fail(cli, err == SC_ENOTFOUND ? EXIT_NOT_FOUND : EXIT_FAILED, "%s",
                          reason.text[0] ? reason.text : sc_err_text(err))
               : EXIT_OK;
}

/* Lists that a running server has cached must show the new story: without a Redis to reach there are none. */
static sc_client *open_cache(struct cli *cli, sc_cache **ret_cache)
{
    sc_client_opts opts = {.url = cli_find_redis_url(cli), .name = "storychain-cli"};
    sc_client *client;

    if (!opts.url || sc_client_new(&opts, &client, NULL))
        return NULL;
    if (sc_client_wait_ready(client, 2000, NULL) || sc_cache_new(client, NULL, ret_cache, NULL)) {
        sc_client_free(client);
        return NULL;
    }
    return client;
}

int cmd_story_import(struct cli *cli)
{
    struct catalog catalog = {NULL, NULL, NULL};
    sc_client *client;
    int code = cli_open_store(cli, &catalog.store);

    if (code)
        return code;
    client = open_cache(cli, &catalog.cache);
    for (int i = 0; !code && i < cli->word_count; i++)
        code = import_one(cli, &catalog, cli->words[i]);
    if (client) {
        sc_cache_free(catalog.cache);
        sc_client_free(client);
    }
    store_close(catalog.store);
    return code;
}

static json_t *story_row(const struct story *story)
{
    char date[SC__ISO8601_LEN + 1];
    json_t *row = json_object();

    sc__iso8601_text(story->updated_ms, false, date);
    json_object_set_new(row, "slug", text_shape(story->slug));
    json_object_set_new(row, "title", text_shape(story->title));
    json_object_set_new(row, "author", text_shape(story->author_name));
    json_object_set_new(row, "status",
                        json_string(story->status == PUBLISHED ? "published" : "draft"));
    json_object_set_new(row, "chapters", json_integer(story->chapters));
    json_object_set_new(row, "followers", json_integer(story->followers));
    json_object_set_new(row, "updated", json_string(date));
    return row;
}

static int print_stories(struct cli *cli, const struct stories *stories)
{
    static const char *const heads[] = {"SLUG",       "TITLE",   "AUTHOR", ">CHAPTERS",
                                        ">FOLLOWERS", "UPDATED", "",       NULL};
    json_t *all = json_array();
    int64_t now = sc__wall_ms();
    struct table table;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; i < stories->count; i++) {
        const struct story *story = &stories->items[i];

        json_array_append_new(all, story_row(story));
        table_text(&table, story->slug);
        table_text(&table, story->title);
        table_text(&table, story->author_name);
        table_int(&table, story->chapters);
        table_int(&table, story->followers);
        table_when(&table, story->updated_ms, now);
        table_text(&table, story->status == PUBLISHED ? SC_S("") : SC_S("draft"));
    }
    if (cli->json)
        return cli_print_json(cli, all);
    json_decref(all);
    table_print(&table, stdout,
                "There are no stories yet; `storychain story import FILE` brings some.");
    return EXIT_OK;
}

int cmd_story_list(struct cli *cli)
{
    struct story_query query = {.drafts_too = true, .order = BY_BIRTH};
    struct stories stories;
    sc_reason reason = {""};
    struct store *store;
    int code;
    sc_err err;

    if (!cli_flag_int(cli, "limit", 50, 1, 1000, &query.limit))
        return EXIT_USAGE;
    code = cli_open_store(cli, &store);
    if (code)
        return code;
    err = store_story_list(store, &query, &cli->arena, &stories, &reason);
    code = err ? cli_fail_err(cli, err, &reason, NULL) : print_stories(cli, &stories);
    store_close(store);
    return code;
}
