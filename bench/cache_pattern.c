/* Deleting 10,000 of 1,000,000 keys by a pattern while another client reads: how long its reads take, with
 * sc_cache_del_pattern() and with what people do, KEYS and DEL. bench/README.md says how to run it. */
#include <storychain/cache.h>
#include <storychain/embedded.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { KEYS = 1000000, MATCHING = 10000, SLICE = 10000, READS_MAX = 4000000 };

static void die(const char *what, sc_err err)
{
    fprintf(stderr, "bench-pattern: %s: %s\n", what, sc_err_name(err));
    exit(1);
}

static int64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static sc_client *connect_client(const char *url)
{
    const sc_client_opts opts = {.url = url, .command_timeout_ms = 60000};
    sc_client *client;
    sc_err err = sc_client_new(&opts, &client, NULL);

    if (!err)
        err = sc_client_wait_ready(client, 10000, NULL);
    if (err)
        die(url, err);
    return client;
}

static sc_reply *call(sc_client *client, const sc_slice *argv, size_t argc)
{
    sc_reply *reply;
    sc_err err = sc_client_call(client, argv, argc, &reply);

    if (err || reply->type == SC_REPLY_ERROR)
        die("a command", err ? err : SC_EREPLY);
    return reply;
}

static void populate(sc_client *client, const char *prefix, int count)
{
    char from[16], to[16];
    const sc_slice script =
        SC_S("local v = string.rep('v', 100) "
             "for i = ARGV[2], ARGV[3] do redis.call('SET', ARGV[1] .. i, v) end");

    for (int done = 0; done < count; done += SLICE) {
        snprintf(from, sizeof(from), "%d", done);
        snprintf(to, sizeof(to), "%d", done + SLICE - 1);
        const sc_slice argv[] = {SC_S("EVAL"),      script,         SC_S("0"), sc_slice_of(prefix),
                                 sc_slice_of(from), sc_slice_of(to)};
        sc_reply_free(call(client, argv, 6));
    }
}

/* The client that reads meanwhile. */
struct reader {
    pthread_t thread;
    sc_client *client;
    atomic_bool stop;
    size_t count;
    int64_t *ns;
};

static void *read_on(void *arg)
{
    struct reader *r = arg;
    char key[32];

    while (!atomic_load(&r->stop) && r->count < READS_MAX) {
        const int64_t began = now_ns();

        snprintf(key, sizeof(key), "keep:%zu", r->count * 7919 % (KEYS - MATCHING));
        const sc_slice argv[] = {SC_S("GET"), sc_slice_of(key)};
        sc_reply_free(call(r->client, argv, 2));
        r->ns[r->count++] = now_ns() - began;
    }
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static void with_ours(sc_client *client)
{
    sc_cache *cache;
    int64_t removed = 0;
    sc_err err = sc_cache_new(client, NULL, &cache, NULL);

    if (!err)
        err = sc_cache_del_pattern(cache, SC_S("gone:*"), NULL, &removed);
    if (err || removed != MATCHING)
        die("sc_cache_del_pattern", err ? err : SC_EINTERNAL);
    sc_cache_free(cache);
}

static void with_keys(sc_client *client)
{
    const sc_slice keys[] = {SC_S("KEYS"), SC_S("gone:*")};
    sc_reply *found = call(client, keys, 2);
    sc_slice *del = calloc(found->count + 1, sizeof(*del));

    del[0] = SC_S("DEL");
    for (size_t i = 0; i < found->count; i++)
        del[i + 1] = found->items[i].str;
    sc_reply_free(call(client, del, found->count + 1));
    sc_reply_free(found);
    free(del);
}

static double p99_ms(const char *name, const char *url, void (*del)(sc_client *client))
{
    sc_client *client = connect_client(url);
    struct reader r = {.client = connect_client(url), .ns = calloc(READS_MAX, sizeof(int64_t))};
    int64_t began, took;
    double p99;

    populate(client, "gone:", MATCHING);
    pthread_create(&r.thread, NULL, read_on, &r);
    began = now_ns();
    del(client);
    took = now_ns() - began;
    atomic_store(&r.stop, true);
    pthread_join(r.thread, NULL);
    qsort(r.ns, r.count, sizeof(*r.ns), by_size);
    p99 = (double)r.ns[r.count * 99 / 100] / 1e6;
    printf("%-22s took %7.1f ms; reads beside it: %6zu, p50 %.3f p99 %.3f max %.3f ms\n", name,
           (double)took / 1e6, r.count, (double)r.ns[r.count / 2] / 1e6, p99,
           (double)r.ns[r.count - 1] / 1e6);
    free(r.ns);
    sc_client_free(r.client);
    sc_client_free(client);
    return p99;
}

/* The server's time is what is measured, not the disk's. */
static void forget_the_disk(sc_client *client)
{
    const sc_slice log[] = {SC_S("CONFIG"), SC_S("SET"), SC_S("appendonly"), SC_S("no")};
    const sc_slice save[] = {SC_S("CONFIG"), SC_S("SET"), SC_S("save"), SC_S("")};

    sc_reply_free(call(client, log, 4));
    sc_reply_free(call(client, save, 4));
}

int main(int argc, char **argv)
{
    sc_embedded *server;
    sc_reason reason = {"usage: bench-pattern FOLDER"};
    sc_client *client;
    double ours;

    if (argc != 2 || sc_embedded_start(argv[1], NULL, &server, &reason)) {
        fprintf(stderr, "bench-pattern: %s\n", reason.text);
        return 1;
    }
    client = connect_client(sc_embedded_url(server));
    forget_the_disk(client);
    populate(client, "keep:", KEYS - MATCHING);
    ours = p99_ms("sc_cache_del_pattern", sc_embedded_url(server), with_ours);
    p99_ms("KEYS and DEL", sc_embedded_url(server), with_keys);
    printf("{\"row\":\"reads beside a delete by pattern, p99 "
           "ms\",\"ours\":%.3f,\"goal\":2,\"ok\":%s}\n",
           ours, ours < 2 ? "true" : "false");
    sc_client_free(client);
    sc_embedded_stop(server);
    return 0;
}
