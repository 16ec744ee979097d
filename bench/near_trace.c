#include "near_trace.h"

#include <stdio.h>
#include <stdlib.h>
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

static bool misses(sc__near *near, sc_slice key)
{
    sc__near_section section = sc__near_enter(near);
    const sc__near_entry *entry;
    bool found = sc__near_find(near, key, 0, &entry) == SC__NEAR_FRESH;

    sc__near_leave(&section, found);
    return !found;
}

static sc_err play(const struct trace *t, size_t entries, double *ret_ratio)
{
    const size_t requests = t->len / sizeof(uint32_t);
    size_t missed = 0;
    sc__near *near;
    sc_err err = sc__near_new(&(sc__near_opts){.max_entries = entries, .keeps_tags = true}, &near);

    for (size_t i = 0; i < requests && !err; i++) {
        sc__near_item item = {.key = {t->bytes + i * sizeof(uint32_t), sizeof(uint32_t)},
                              .expires_ms = INT64_MAX,
                              .soft_ms = INT64_MAX};

        if (misses(near, item.key)) {
            missed++;
            err = sc__near_put(near, &item);
        }
    }
    if (!err)
        *ret_ratio = (double)missed / (double)requests;
    sc__near_free(near);
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
