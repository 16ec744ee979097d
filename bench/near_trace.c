#include "near_trace.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <storychain/cache.h>
#include <zstd.h>

#include "base/clock.h"

struct trace {
    char *bytes;
    size_t len, room;
};

static bool grow(struct trace *t)
{
    size_t room = t->room ? t->room * 2 : 1 << 20;
    char *bytes = realloc(t->bytes, room);

    if (!bytes)
        return false;
    t->bytes = bytes;
    t->room = room;
    return true;
}

/* One piece of the file. */
static bool unpack(ZSTD_DStream *stream, ZSTD_inBuffer *in, struct trace *t)
{
    while (in->pos < in->size) {
        ZSTD_outBuffer out;

        if (t->len == t->room && !grow(t))
            return false;
        out = (ZSTD_outBuffer){t->bytes, t->room, t->len};
        if (ZSTD_isError(ZSTD_decompressStream(stream, &out, in)))
            return false;
        t->len = out.pos;
    }
    return true;
}

/* What is still inside the stream when the file is through. */
static bool drain(ZSTD_DStream *stream, struct trace *t)
{
    size_t before;

    do {
        ZSTD_inBuffer none = {NULL, 0, 0};
        ZSTD_outBuffer out;

        if (t->len == t->room && !grow(t))
            return false;
        before = t->len;
        out = (ZSTD_outBuffer){t->bytes, t->room, t->len};
        if (ZSTD_isError(ZSTD_decompressStream(stream, &out, &none)))
            return false;
        t->len = out.pos;
    } while (t->len > before);
    return true;
}

static bool read_trace(const char *path, struct trace *t)
{
    static char piece[1 << 16];
    ZSTD_DStream *stream = ZSTD_createDStream();
    FILE *file = fopen(path, "rb");
    bool is_well = stream && file;
    size_t n;

    while (is_well && (n = fread(piece, 1, sizeof(piece), file)) > 0) {
        ZSTD_inBuffer in = {piece, n, 0};

        is_well = unpack(stream, &in, t);
    }
    is_well = is_well && !ferror(file) && drain(stream, t);
    if (file)
        fclose(file);
    ZSTD_freeDStream(stream);
    return is_well && t->len;
}

/* what a key's load takes, at least 1 ms; always the same but for CHANCE */

enum shape { LOGNORMAL, TENTH, FIFTIETH, CHANCE, SHAPES };
static const char *const shape_names[] = {"log-normal, sigma 1.5", "1 of 10 takes 50 times as long",
                                          "1 of 50 takes 100 times as long",
                                          "by chance, log-normal, sigma 1"};

/* From 0 to 1, by chance, but the same for the same key. */
static double chance_of(uint32_t key, uint64_t salt)
{
    uint64_t x = (key + salt) * UINT64_C(0x9E3779B97F4A7C15);

    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    x = (x ^ x >> 32) * UINT64_C(0xD6E8FEB86659FD93);
    return (double)((x ^ x >> 32) >> 11) * 0x1p-53;
}

static int64_t cost_ms(uint32_t key, enum shape shape, size_t load)
{
    const uint64_t salt = shape == CHANCE ? load << 33 : 0;
    const double a = chance_of(key, salt + 1), b = chance_of(key, salt + (UINT64_C(1) << 32));
    const double sigma = shape == CHANCE ? 1 : 1.5;

    if (shape == TENTH)
        return a < 0.1 ? 50 : 1;
    if (shape == FIFTIETH)
        return a < 0.02 ? 100 : 1;
    return 1 + (int64_t)(5 * exp(sigma * sqrt(-2 * log(a + 1e-12)) * cos(2 * acos(-1) * b)));
}

/* One play of a trace. */
struct play {
    enum shape shape;
    bool shows_cost; /* to the cache: its clock is moved on */
    size_t misses;
    int64_t load_ms; /* of all loads */
};

static sc_err load_one(sc_cache_load *load, sc_slice key, void *user)
{
    struct play *play = user;
    uint32_t number;
    int64_t ms;

    memcpy(&number, key.ptr, sizeof(number));
    ms = cost_ms(number, play->shape, play->misses);
    play->misses++;
    play->load_ms += ms;
    if (play->shows_cost)
        sc__clock_shift(ms);
    return sc_cache_load_set(load, key);
}

static sc_err play(const struct trace *t, size_t entries, struct play *play)
{
    const size_t requests = t->len / sizeof(uint32_t);
    sc_cache *cache = NULL;
    sc_err err = sc_cache_new(NULL, &(sc_cache_opts){.near_entries = entries}, &cache, NULL);

    for (size_t i = 0; i < requests && !err; i++) {
        const sc_slice key = {t->bytes + i * sizeof(uint32_t), sizeof(uint32_t)};
        sc_cache_value value;

        err = sc_cache_get_or_set(cache, key, SC_TTL_FOREVER, load_one, play, &value);
        if (!err)
            sc_cache_value_release(&value);
    }
    sc_cache_free(cache);
    return err;
}

static double miss_ratio(const struct trace *t, const struct play *play)
{
    return (double)play->misses / (double)(t->len / sizeof(uint32_t));
}

static sc_err show_trace(const struct trace *t, size_t entries)
{
    struct play p = {0};
    sc_err err = play(t, entries, &p);

    if (!err)
        printf("{\"what\":\"trace\",\"entries\":%zu,\"miss\":%.4f}\n", entries, miss_ratio(t, &p));
    return err;
}

static sc_err show_cost(const struct trace *t, size_t entries)
{
    for (enum shape shape = 0; shape < SHAPES; shape++) {
        struct play blind = {.shape = shape}, seeing = {.shape = shape, .shows_cost = true};
        sc_err err = play(t, entries, &blind);

        if (!err)
            err = play(t, entries, &seeing);
        if (err)
            return err;
        printf("{\"what\":\"cost\",\"loads\":\"%s\",\"entries\":%zu,\"load_s\":%.0f,"
               "\"load_s_unknown\":%.0f,\"saved\":%.3f,\"miss\":%.4f,\"miss_unknown\":%.4f}\n",
               shape_names[shape], entries, (double)seeing.load_ms / 1000,
               (double)blind.load_ms / 1000, 1 - (double)seeing.load_ms / (double)blind.load_ms,
               miss_ratio(t, &seeing), miss_ratio(t, &blind));
    }
    return SC_OK;
}

static int show_each(const char *path, char *const *entries, int count,
                     sc_err (*show)(const struct trace *, size_t))
{
    struct trace t = {0};
    bool is_well = read_trace(path, &t);

    for (int i = 0; i < count && is_well; i++) {
        size_t n = strtoul(entries[i], NULL, 10);

        is_well = n > 0 && !show(&t, n);
        fflush(stdout);
    }
    if (!is_well)
        fprintf(stderr, "bench-near: %s can't be played\n", path);
    free(t.bytes);
    return !is_well;
}

int near_trace(const char *path, char *const *entries, int count)
{
    return show_each(path, entries, count, show_trace);
}

int near_cost(const char *path, char *const *entries, int count)
{
    return show_each(path, entries, count, show_cost);
}
