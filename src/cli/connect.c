#include "connect.h"

#include <storychain/embedded.h>

#include "app/paths.h"
#include "base/json.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CONNECT_MS = 3000, JSON_MAX = 256 * 1024 * 1024 };

const char *cli_find_redis_url(struct cli *cli)
{
    char *found, *url;

    if (cli->options.redis_url)
        return cli->options.redis_url;
    if (sc_embedded_find(state_redis_folder(cli->options.state_dir, &cli->arena), &found))
        return NULL;
    url = sc__arena_dup(&cli->arena, sc_slice_of(found));
    sc_free(found);
    return url;
}

const char *cli_redis_url(struct cli *cli)
{
    const char *url = cli_find_redis_url(cli);

    if (!url)
        cli_fail(
            cli, EXIT_UNREACHABLE,
            "no StoryChain runs with the state folder %s; start one with `storychain serve`, or "
            "name a Redis with --redis-url",
            cli->options.state_dir);
    return url;
}

int cli_connect(struct cli *cli, sc_client **ret_client)
{
    sc_client_opts opts = {.name = "storychain-cli", .url = cli_redis_url(cli)};
    sc_client *client;
    sc_reason reason = {""};
    sc_err err;

    if (!opts.url)
        return EXIT_UNREACHABLE;
    err = sc_client_new(&opts, &client, &reason);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    err = sc_client_wait_ready(client, CONNECT_MS, &reason);
    if (err) {
        sc_client_free(client);
        return cli_fail(cli, EXIT_UNREACHABLE, "%s",
                        reason.text[0] ? reason.text : sc_err_text(err));
    }
    *ret_client = client;
    return EXIT_OK;
}

int cli_open_queue(struct cli *cli, sc_client *client, sc_slice name, sc_queue **ret_queue)
{
    sc_queue_opts opts = {.prefix = sc_slice_of(cli->options.prefix), .skip_meta = true};
    sc_reason reason = {""};
    sc_err err = sc_queue_new(client, name, &opts, ret_queue, &reason);

    return err ? cli_fail_err(cli, err, &reason, NULL) : EXIT_OK;
}

int cli_check_queue(struct cli *cli, sc_client *client, sc_slice name)
{
    sc_id_list *names;
    bool found = false;
    sc_err err = sc_queue_discover(client, sc_slice_of(cli->options.prefix), &names);

    if (err)
        return cli_fail_err(cli, err, NULL, "looking for queues");
    for (size_t i = 0; i < names->count; i++)
        found |= sc_slice_eq(names->ids[i], name);
    sc_id_list_free(names);
    if (found)
        return EXIT_OK;
    return cli_fail(
        cli, EXIT_NOT_FOUND,
        "there is no queue \"%.*s\"; `storychain queue list` shows those that are there",
        (int)(name.len > 60 ? 60 : name.len), name.ptr);
}

int cli_on_queue(struct cli *cli, int (*act)(struct cli *cli, sc_queue *queue))
{
    sc_slice name = sc_slice_of(cli->words[0]);
    sc_client *client;
    sc_queue *queue;
    int code = cli_connect(cli, &client);

    if (code)
        return code;
    code = cli_check_queue(cli, client, name);
    if (!code)
        code = cli_open_queue(cli, client, name, &queue);
    if (!code) {
        code = act(cli, queue);
        sc_queue_free(queue);
    }
    sc_client_free(client);
    return code;
}

int cli_open_store(struct cli *cli, struct store **ret_store)
{
    const char *url = cli->options.store_url, *folder = cli->options.state_dir;
    sc_reason reason = {""};
    sc_err err;

    if (!url) {
        err = state_folder_make(folder, &reason);
        if (err)
            return cli_fail_err(cli, err, &reason, NULL);
        url = state_store_url(folder, &cli->arena);
    }
    err = url ? store_open(url, ret_store, &reason) : SC_ENOMEM;
    return err ? cli_fail_err(cli, err, &reason, NULL) : EXIT_OK;
}

int cli_print_json(struct cli *cli, void *json)
{
    AUTO_STR text = STR_MAX(JSON_MAX);

    sc__json_write(&text, json);
    json_decref(json);
    if (text.err)
        return cli_fail_err(cli, text.err, NULL, NULL);
    printf("%s\n", text.ptr);
    return EXIT_OK;
}
