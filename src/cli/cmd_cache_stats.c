/* storychain cache stats: how well the cache does, as the running server and Redis count it. */
#include "app/job_shapes.h"
#include "base/str.h"
#include "cmds.h"
#include "connect.h"
#include "http_get.h"
#include "server_info.h"
#include "table.h"

enum { METRICS_MAX = 4 * 1024 * 1024 };

#define METRIC "storychain_cache_"

/* Fields of INFO. */
static const char *const numbers[] = {
    "used_memory",      "maxmemory",           "evicted_keys",
    "expired_keys",     "keyspace_hits",       "keyspace_misses",
    "tracking_clients", "tracking_total_keys", "connected_clients"};
static const char *const texts[] = {"maxmemory_policy", "db0"};

/* "storychain_cache_hits_total 12" becomes "hits": 12. What has labels is left out. */
static void add_metric(json_t *shape, char *line)
{
    char *value = strchr(line, ' '), *end;
    double number;

    if (strncmp(line, METRIC, strlen(METRIC)) != 0 || !value ||
        memchr(line, '{', (size_t)(value - line)))
        return;
    *value++ = '\0';
    line += strlen(METRIC);
    end = strstr(line, "_total");
    if (end && end[6] == '\0')
        *end = '\0';
    number = strtod(value, NULL);
    if (number == (double)(json_int_t)number)
        json_object_set_new(shape, line, json_integer((json_int_t)number));
    else
        json_object_set_new(shape, line, json_real(number));
}

/* NULL when no server answers there. */
static json_t *server_shape(const char *url)
{
    AUTO_STR text = STR_MAX(METRICS_MAX);
    json_t *shape;
    char *save;

    if (http_get(url, &text, NULL) || !text.len)
        return NULL;
    shape = json_object();
    for (char *line = strtok_r(text.ptr, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        add_metric(shape, line);
    if (json_object_size(shape))
        return shape;
    json_decref(shape); /* another program's */
    return NULL;
}

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
    AUTO_JSON *server = server_shape(url), *redis = redis_shape(info);
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
