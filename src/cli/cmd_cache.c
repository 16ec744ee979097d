/* storychain cache …: what is cached. */
#include <storychain/cache.h>

#include "app/job_shapes.h"
#include "cmds.h"
#include "connect.h"

static int print_value(struct cli *cli, const sc_cache_value *value)
{
    json_t *shape;

    if (!cli->json) {
        fwrite(value->bytes.ptr, 1, value->bytes.len, stdout);
        putchar('\n');
        return EXIT_OK;
    }
    shape = json_object();
    json_object_set_new(shape, "key", text_shape(sc_slice_of(cli->words[0])));
    json_object_set_new(shape, "ageMs", json_integer(value->age_ms));
    json_object_set_new(shape, "size", json_integer((json_int_t)value->bytes.len));
    json_object_set_new(shape, "value", value_shape(value->bytes));
    return cli_print_json(cli, shape);
}

static int get_value(struct cli *cli, sc_client *client)
{
    sc_cache_opts opts = {.timeout_ms = 3000};
    sc_reason reason = {""};
    sc_cache_value value;
    sc_cache *cache;
    sc_err err = sc_cache_new(client, &opts, &cache, &reason);
    int code;

    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    err = sc_cache_get(cache, sc_slice_of(cli->words[0]), &value);
    if (err) {
        code = cli_fail_err(cli, err, NULL, NULL);
    } else if (value.source == SC_CACHE_MISS) {
        code = cli_fail(cli, EXIT_NOT_FOUND, "nothing is cached at \"%s\"", cli->words[0]);
    } else {
        code = print_value(cli, &value);
        sc_cache_value_release(&value);
    }
    sc_cache_free(cache);
    return code;
}

int cmd_cache_get(struct cli *cli)
{
    sc_client *client;
    int code = cli_connect(cli, &client);

    if (code)
        return code;
    code = get_value(cli, client);
    sc_client_free(client);
    return code;
}
