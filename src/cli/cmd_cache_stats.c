/* storychain cache stats: how well the cache does, as the running server and Redis count it. */
#include "app/job_shapes.h"
#include "base/str.h"
#include "cache_figures.h"
#include "cmds.h"
#include "connect.h"
#include "server_info.h"
#include "table.h"

/* Fields of INFO. */
static const char *const numbers[] = {
    "used_memory",      "maxmemory",           "evicted_keys",
    "expired_keys",     "keyspace_hits",       "keyspace_misses",
    "tracking_clients", "tracking_total_keys", "connected_clients"};
static const char *const texts[] = {"maxmemory_policy", "db0"};

static json_t *redis_shape(const char *info)
{
    json_t *shape = json_object();

    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
        if (server_info_int(info, numbers[i]) >= 0)
            json_object_set_new(shape, numbers[i], json_integer(server_info_int(info, numbers[i])));
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        if (server_info_text(info, texts[i]).len)
            json_object_set_new(shape, texts[i], text_shape(server_info_text(info, texts[i])));
    return shape;
}

static void add_ratio(json_t *shape, const char *hits, const char *misses)
{
    const double hit = (double)sc__json_int(shape, hits, 0);
    const double all = hit + (double)sc__json_int(shape, misses, 0);

    if (all > 0)
        json_object_set_new(shape, "hit_percent", json_real((double)(int)(hit / all * 1000) / 10));
}

static void add_rows(struct table *table, const char *who, json_t *shape)
{
    const char *key;
    json_t *value;

    json_object_foreach(shape, key, value)
    {
        char number[64];

        snprintf(number, sizeof(number), "%.10g", json_number_value(value));
        table_text(table, sc_slice_of(who));
        table_text(table, sc_slice_of(key));
        table_text(table, sc_slice_of(json_is_string(value) ? json_string_value(value) : number));
    }
}

static int print_stats(struct cli *cli, const char *url, const char *info)
{
    static const char *const heads[] = {"WHO", "WHAT", ">FIGURE", NULL};
    AUTO_JSON *server = cache_figures_read(url), *redis = redis_shape(info);
    struct table table;

    add_ratio(redis, "keyspace_hits", "keyspace_misses");
    if (server)
        add_ratio(server, "hits", "misses");
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:O?, s:O}", "server", server, "redis", redis));
    table_init(&table, &cli->arena, heads);
    if (server)
        add_rows(&table, "server", server);
    add_rows(&table, "redis", redis);
    table_print(&table, stdout, "");
    if (!server)
        fprintf(stderr,
                "No StoryChain answers at %s: its own figures are missing; --listen names "
                "another address.\n",
                url);
    return EXIT_OK;
}

int cmd_cache_stats(struct cli *cli)
{
    const char *url = sc__arena_printf(&cli->arena, "http://%s/metrics", cli->options.listen);
    const char *info = NULL;
    sc_reason why = {""};
    sc_client *client;
    sc_err err;
    int code = cli_connect(cli, &client);

    if (code)
        return code;
    err = url ? server_info_read(client, &cli->arena, &info, &why) : SC_ENOMEM;
    sc_client_free(client);
    return err ? cli_fail_err(cli, err, &why, NULL) : print_stats(cli, url, info);
}
