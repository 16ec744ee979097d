/* storychain cache get|set|del|invalidate: what is cached, one value or many. */
#include <unistd.h>

#include <storychain/cache.h>

#include "app/job_shapes.h"
#include "cmds.h"
#include "connect.h"
#include "key_walk.h"
#include "progress.h"
#include "read_data.h"
#include "signals.h"

static const int64_t default_ttl_ms = 60 * 60 * 1000;

/* Calls `act` on the cache, which is opened and closed around it. */
static int on_cache(struct cli *cli,
                    int (*act)(struct cli *cli, sc_client *client, sc_cache *cache))
{
    const sc_cache_opts opts = {.timeout_ms = 3000};
    sc_reason reason = {""};
    sc_client *client;
    sc_cache *cache;
    int code = cli_connect(cli, &client);
    sc_err err;

    if (code)
        return code;
    err = sc_cache_new(client, &opts, &cache, &reason);
    if (err) {
        code = cli_fail_err(cli, err, &reason, NULL);
    } else {
        code = act(cli, client, cache);
        sc_cache_free(cache);
    }
    sc_client_free(client);
    return code;
}

/* ---- get ---- */

static int print_value(struct cli *cli, const sc_cache_value *value)
{
    json_t *shape;

    if (!cli->json) {
        fwrite(value->bytes.ptr, 1, value->bytes.len, stdout);
        if (isatty(STDOUT_FILENO)) /* a file, or another program, gets the value alone */
            putchar('\n');
        return EXIT_OK;
    }
    shape = json_object();
    json_object_set_new(shape, "key", text_shape(sc_slice_of(cli->words[0])));
    if (value->none)
        json_object_set_new(shape, "none", json_true());
    json_object_set_new(shape, "ageMs", json_integer(value->age_ms));
    json_object_set_new(shape, "size", json_integer((json_int_t)value->bytes.len));
    json_object_set_new(shape, "value",
                        value->none || value->bytes.len
                            ? value_shape(value->bytes)
                            : json_string("")); /* null is another value */
    return cli_print_json(cli, shape);
}

/* A cache that can't read a value says the same as if there were none; here somebody wants to know. */
static int say_missing(struct cli *cli, sc_client *client)
{
    const sc_slice argv[] = {SC_S("GET"), sc_slice_of(cli->words[0])};
    sc_reply *reply;
    sc_err err = sc_client_call(client, argv, 2, &reply);
    int code;

    if (err)
        return cli_fail_err(cli, err, NULL, NULL);
    if (reply->type == SC_REPLY_ERROR)
        code = cli_fail(cli, EXIT_FAILED, "\"%s\" can't be read: %.*s", cli->words[0],
                        (int)reply->str.len, reply->str.ptr);
    else
        code = cli_fail(cli, EXIT_NOT_FOUND, "nothing is cached at \"%s\"", cli->words[0]);
    sc_reply_free(reply);
    return code;
}

static int get_value(struct cli *cli, sc_client *client, sc_cache *cache)
{
    sc_cache_value value;
    sc_err err = sc_cache_get(cache, sc_slice_of(cli->words[0]), &value);
    int code;

    if (err)
        return cli_fail_err(cli, err, NULL, NULL);
    if (value.source == SC_CACHE_MISS)
        return say_missing(cli, client);
    if (value.none && !cli->json)
        code = cli_fail(cli, EXIT_NOT_FOUND, "it is cached that there is nothing for \"%s\"",
                        cli->words[0]);
    else
        code = print_value(cli, &value);
    sc_cache_value_release(&value);
    return code;
}

int cmd_cache_get(struct cli *cli)
{
    return on_cache(cli, get_value);
}

/* ---- set ---- */

static int set_value(struct cli *cli, sc_client *client, sc_cache *cache)
{
    AUTO_STR data = STR_MAX(CLI_DATA_MAX);
    int64_t ttl_ms;
    int code;
    sc_err err;

    (void)client;
    if (!cli_flag_time(cli, "ttl", default_ttl_ms, &ttl_ms))
        return EXIT_USAGE;
    code = cli_read_data(cli, cli->words[1], &data);
    if (code)
        return code;
    err = sc_cache_set(cache, sc_slice_of(cli->words[0]), sc__str_slice(&data), ttl_ms);
    if (err)
        return cli_fail_err(cli, err, NULL, "storing the value");
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:o, s:I, s:I}", "key",
                                             text_shape(sc_slice_of(cli->words[0])), "size",
                                             (json_int_t)data.len, "ttlMs", (json_int_t)ttl_ms));
    if (ttl_ms)
        printf("%s: %zu byte%s stored\n", cli->words[0], data.len, cli_plural((int64_t)data.len));
    else
        printf("%s: removed\n", cli->words[0]);
    return EXIT_OK;
}

int cmd_cache_set(struct cli *cli)
{
    return on_cache(cli, set_value);
}

/* ---- del, invalidate ---- */

static int say_removed(struct cli *cli, int64_t removed)
{
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:I}", "removed", (json_int_t)removed));
    printf("%lld value%s removed\n", (long long)removed, cli_plural(removed));
    return EXIT_OK;
}

static const sc_slice *words_of(struct cli *cli)
{
    sc_slice *words = sc__arena_alloc(&cli->arena, (size_t)cli->word_count * sizeof(*words));

    for (int i = 0; words && i < cli->word_count; i++)
        words[i] = sc_slice_of(cli->words[i]);
    return words;
}

static int del_keys(struct cli *cli, sc_client *client, sc_cache *cache)
{
    const sc_slice *keys = words_of(cli);
    int64_t removed = 0;
    sc_err err =
        keys ? sc_cache_del_many(cache, keys, (size_t)cli->word_count, &removed) : SC_ENOMEM;

    (void)client;
    return err ? cli_fail_err(cli, err, NULL, NULL) : say_removed(cli, removed);
}

int cmd_cache_del(struct cli *cli)
{
    return on_cache(cli, del_keys);
}

static bool count_keys(void *user, const sc_reply *keys)
{
    int64_t *count = user;

    *count += (int64_t)keys->count;
    return !signals_came();
}

/* EXIT_OK with --yes; else how many keys there are. */
static int confirm(struct cli *cli, sc_client *client)
{
    sc_reason why = {""};
    int64_t count = 0;

    for (int i = 0; !cli_flag(cli, "yes") && i < cli->word_count; i++) {
        sc_err err = key_walk(client, cli->words[i], count_keys, &count, &why);

        if (err)
            return cli_fail_err(cli, err, &why, NULL);
    }
    if (cli_flag(cli, "yes"))
        return EXIT_OK;
    return cli_fail(
        cli, EXIT_REFUSED, "%lld key%s match%s, of whatever program; add --yes to remove %s",
        (long long)count, cli_plural(count), count == 1 ? "es" : "", count == 1 ? "it" : "them");
}

static int del_patterns(struct cli *cli, sc_client *client, sc_cache *cache)
{
    struct progress p = {.what = "keys", .doing = "removed"};
    int64_t all = 0, removed = 0;
    sc_err err = SC_OK;
    int code;

    signals_note();
    code = confirm(cli, client);
    if (code)
        return code;
    for (int i = 0; !err && i < cli->word_count; i++, all += removed)
        err = sc_cache_del_pattern(cache, sc_slice_of(cli->words[i]),
                                   &(sc_sweep){progress_told, &p}, &removed);
    progress_end(&p);
    if (err == SC_ECANCELED)
        return cli_fail(cli, EXIT_FAILED, "stopped; the same command removes the rest");
    return err ? cli_fail_err(cli, err, NULL, NULL) : say_removed(cli, all);
}

/* Nobody knows how many values that are. */
static int del_tags(struct cli *cli, sc_client *client, sc_cache *cache)
{
    const sc_slice *tags = words_of(cli);
    const size_t count = (size_t)cli->word_count;
    const bool expires = cli_flag(cli, "expire");
    sc_err err = SC_ENOMEM;

    (void)client;
    if (tags && expires)
        err = sc_cache_expire_tags(cache, tags, count);
    else if (tags)
        err = sc_cache_del_tags(cache, tags, count);
    if (err)
        return cli_fail_err(cli, err, NULL, NULL);
    if (cli->json)
        return cli_print_json(
            cli, json_pack("{s:I}", expires ? "expiredTags" : "removedTags", (json_int_t)count));
    printf("all values of %zu tag%s %s\n", count, cli_plural((int64_t)count),
           expires ? "expired" : "removed");
    return EXIT_OK;
}

static int expire_keys(struct cli *cli, sc_client *client, sc_cache *cache)
{
    (void)client;
    for (int i = 0; i < cli->word_count; i++) {
        sc_err err = sc_cache_expire(cache, sc_slice_of(cli->words[i]));

        if (err)
            return cli_fail_err(cli, err, NULL, NULL);
    }
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:i}", "expired", cli->word_count));
    printf("%d key%s expired\n", cli->word_count, cli_plural(cli->word_count));
    return EXIT_OK;
}

int cmd_cache_invalidate(struct cli *cli)
{
    if (cli_flag(cli, "pattern") && (cli_flag(cli, "tag") || cli_flag(cli, "expire")))
        return cli_fail(cli, EXIT_USAGE, "--pattern goes without --tag and --expire");
    if (cli_flag(cli, "tag"))
        return on_cache(cli, del_tags);
    if (cli_flag(cli, "expire"))
        return on_cache(cli, expire_keys);
    if (!cli_flag(cli, "pattern"))
        return on_cache(cli, del_keys);
    if (!signals_start())
        return cli_fail(cli, EXIT_FAILED, "there is no room for a thread");
    return on_cache(cli, del_patterns);
}
