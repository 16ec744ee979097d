#include "near_trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <storychain/cache.h>
#include <zstd.h>

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

static sc_err load_one(sc_cache_load *load, sc_slice key, void *user)
{
    size_t *misses = user;

    ++*misses;
    return sc_cache_load_set(load, key);
}

static sc_err play(const struct trace *t, size_t entries, double *ret_ratio)
{
    const size_t requests = t->len / sizeof(uint32_t);
    size_t misses = 0;
    sc_cache *cache = NULL;
    sc_err err = sc_cache_new(NULL, &(sc_cache_opts){.near_entries = entries}, &cache, NULL);

    for (size_t i = 0; i < requests && !err; i++) {
        const sc_slice key = {t->bytes + i * sizeof(uint32_t), sizeof(uint32_t)};
        sc_cache_value value;

        err = sc_cache_get_or_set(cache, key, SC_TTL_FOREVER, load_one, &misses, &value);
        if (!err)
            sc_cache_value_release(&value);
    }
    if (!err)
        *ret_ratio = (double)misses / (double)requests;
    sc_cache_free(cache);
    return err;
}

int near_trace(const char *path, char *const *entries, int count)
{
    struct trace t = {0};
    bool is_well = read_trace(path, &t);
    double ratio;

    for (int i = 0; i < count && is_well; i++) {
        size_t n = strtoul(entries[i], NULL, 10);

        is_well = n > 0 && !play(&t, n, &ratio);
        if (is_well)
            printf("{\"what\":\"trace\",\"entries\":%zu,\"miss\":%.4f}\n", n, ratio);
    }
    if (!is_well)
        fprintf(stderr, "bench-near: %s can't be played\n", path);
    free(t.bytes);
    return !is_well;
}
