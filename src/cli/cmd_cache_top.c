/* storychain cache top: the largest keys, or those read most. */
#include <pthread.h>

#include "app/job_shapes.h"
#include "base/clock.h"
#include "base/mem.h"
#include "cmds.h"
#include "connect.h"
#include "key_walk.h"
#include "table.h"

enum { LIMIT = 20, LIMIT_MAX = 1000, LOOK = 100000, LOOK_MAX = 100000000 };

/* A key and its figure: bytes, or how often it is read. */
struct rank {
    char *key;
    size_t key_len;
    int64_t figure;
};

struct top {
    sc_client *client;
    bool by_reads;
    size_t limit;
    int64_t look_at, looked;
    struct rank *ranks; /* the greatest first */
    size_t count;

    pthread_mutex_t mutex; /* of the rest: what is asked about one slice of keys */
    pthread_cond_t answered;
    size_t waiting;
    sc_err err;
    sc_reason why;
};

/* One question under way. */
struct question {
    struct top *top;
    int64_t figure; /* -1: the key is gone */
};

static void on_figure(void *user, sc_err err, const sc_reply *reply)
{
    struct question *q = user;
    struct top *top = q->top;

    pthread_mutex_lock(&top->mutex);
    if (err || !reply) {
        top->err = err;
    } else if (reply->type == SC_REPLY_INT) {
        q->figure = reply->integer;
    } else if (reply->type == SC_REPLY_ERROR) {
        top->err = SC_EREPLY;
        snprintf(top->why.text, sizeof(top->why.text), "%.*s", (int)reply->str.len, reply->str.ptr);
    }
    top->waiting--;
    pthread_cond_signal(&top->answered);
    pthread_mutex_unlock(&top->mutex);
}

/* All questions of a slice are on their way together. */
static void ask(struct top *top, const sc_reply *keys, struct question *questions)
{
    pthread_mutex_lock(&top->mutex);
    top->waiting = keys->count;
    pthread_mutex_unlock(&top->mutex);
    for (size_t i = 0; i < keys->count; i++) {
        const sc_slice argv[] = {top->by_reads ? SC_S("OBJECT") : SC_S("MEMORY"),
                                 top->by_reads ? SC_S("FREQ") : SC_S("USAGE"), keys->items[i].str};
        sc_err err;

        questions[i] = (struct question){top, -1};
        err = sc_client_call_async(top->client, argv, 3, on_figure, &questions[i]);
        if (err)
            on_figure(&questions[i], err, NULL);
    }
    pthread_mutex_lock(&top->mutex);
    while (top->waiting)
        pthread_cond_wait(&top->answered, &top->mutex);
    pthread_mutex_unlock(&top->mutex);
}

static bool is_ranked(const struct top *top, sc_slice key)
{
    for (size_t i = 0; i < top->count; i++)
        if (sc_slice_eq(key, (sc_slice){top->ranks[i].key, top->ranks[i].key_len}))
            return true;
    return false;
}

static void rank(struct top *top, sc_slice key, int64_t figure)
{
    size_t at = top->count;

    if (figure < 0 || (at == top->limit && figure <= top->ranks[at - 1].figure) ||
        is_ranked(top, key))
        return;
    if (at == top->limit)
        sc_free(top->ranks[--at].key);
    else
        top->count++;
    for (; at > 0 && top->ranks[at - 1].figure < figure; at--)
        top->ranks[at] = top->ranks[at - 1];
    top->ranks[at] = (struct rank){sc__slice_dup(key), key.len, figure};
}

static bool on_keys(void *user, const sc_reply *keys)
{
    struct top *top = user;
    struct question *questions = sc__calloc(keys->count + 1, sizeof(*questions));

    if (!questions) {
        top->err = SC_ENOMEM;
        return false;
    }
    ask(top, keys, questions);
    for (size_t i = 0; i < keys->count; i++)
        rank(top, keys->items[i].str, questions[i].figure);
    top->looked += (int64_t)keys->count;
    sc_free(questions);
    return !top->err && top->looked < top->look_at;
}

/* How long a key still lives; -1: without end, or gone. */
static int64_t ttl_of(sc_client *client, const struct rank *r)
{
    const sc_slice argv[] = {SC_S("PTTL"), {r->key, r->key_len}};
    int64_t ttl_ms = -1;
    sc_reply *reply;

    if (sc_client_call(client, argv, 2, &reply))
        return -1;
    if (reply->type == SC_REPLY_INT)
        ttl_ms = reply->integer;
    sc_reply_free(reply);
    return ttl_ms;
}

static int print_top(struct cli *cli, struct top *top)
{
    const char *const heads[] = {"KEY", top->by_reads ? ">READS" : ">BYTES", "ENDS", NULL};
    AUTO_JSON *keys = json_array();
    const int64_t now = sc__wall_ms();
    struct table table;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; i < top->count; i++) {
        const struct rank *r = &top->ranks[i];
        const sc_slice key = {r->key, r->key_len};
        const int64_t ttl_ms = ttl_of(top->client, r);

        json_array_append_new(keys, json_pack("{s:o, s:I, s:I}", "key", text_shape(key),
                                              top->by_reads ? "reads" : "bytes",
                                              (json_int_t)r->figure, "ttlMs", (json_int_t)ttl_ms));
        table_text(&table, key);
        table_int(&table, r->figure);
        table_when(&table, ttl_ms < 0 ? 0 : now + ttl_ms, now);
    }
    if (cli->json)
        return cli_print_json(
            cli, json_pack("{s:I, s:O}", "looked", (json_int_t)top->looked, "keys", keys));
    table_print(&table, stdout, "No key matches.");
    if (top->looked >= top->look_at)
        printf("Of %lld keys that were looked at; --look says how many.\n", (long long)top->looked);
    return EXIT_OK;
}

static int run_top(struct cli *cli, struct top *top)
{
    const char *pattern = cli->word_count ? cli->words[0] : "sc:*";
    sc_err err = key_walk(top->client, pattern, on_keys, top, &top->why);

    if (!err)
        err = top->err;
    if (err && strstr(top->why.text, "LFU"))
        return cli_fail(cli, EXIT_FAILED,
                        "Redis counts reads only with a maxmemory-policy of LFU, as allkeys-lfu");
    return err ? cli_fail_err(cli, err, &top->why, NULL) : print_top(cli, top);
}

int cmd_cache_top(struct cli *cli)
{
    struct top top = {.by_reads = cli_flag(cli, "reads"),
                      .mutex = PTHREAD_MUTEX_INITIALIZER,
                      .answered = PTHREAD_COND_INITIALIZER};
    int64_t limit;
    int code;

    if (!cli_flag_int(cli, "limit", LIMIT, 1, LIMIT_MAX, &limit) ||
        !cli_flag_int(cli, "look", LOOK, 1, LOOK_MAX, &top.look_at))
        return EXIT_USAGE;
    top.limit = (size_t)limit;
    top.ranks = sc__arena_zalloc(&cli->arena, top.limit * sizeof(*top.ranks));
    if (!top.ranks)
        return cli_fail_err(cli, SC_ENOMEM, NULL, NULL);
    code = cli_connect(cli, &top.client);
    if (code)
        return code;
    code = run_top(cli, &top);
    for (size_t i = 0; i < top.count; i++)
        sc_free(top.ranks[i].key);
    sc_client_free(top.client);
    return code;
}
