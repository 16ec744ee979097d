#include "read_through.h"

#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"

enum { ARENA_MAX = 128 * 1024 * 1024, ANSWER_MAX = 32 * 1024 * 1024, TAG_MAX = 255 };

struct call {
    const struct read *read;
    sc_reason reason; /* of our own load, if it came to that */
};

/* An answer that can't have its tag is given and not kept: nothing would remove it. */
static void add_tag(sc_cache_load *load, const struct read *read)
{
    AUTO_STR tag = STR_MAX(TAG_MAX);

    if (!read->tag)
        return;
    if (read->tag(&tag, read->tag_id) || sc_cache_load_tag(load, sc__str_slice(&tag)))
        sc_cache_load_ttl(load, 0);
}

static sc_err load(sc_cache_load *cache_load, sc_slice key, void *user)
{
    AUTO_STR out = STR_MAX(ANSWER_MAX);
    struct call *call = user;
    sc__arena arena;
    sc_err err;

    (void)key;
    sc__arena_init(&arena, ARENA_MAX);
    err = call->read->load(call->read, &arena, &out, &call->reason);
    sc__arena_release(&arena);
    if (!err)
        err = out.err;
    if (err)
        return err;
    add_tag(cache_load, call->read);
    return sc_cache_load_set(cache_load, sc__str_slice(&out));
}

/* A call for a load behind: all in one piece. */
struct kept {
    struct call call;
    struct read read;
    struct catalog catalog;
    char text[];
};

static sc_slice copy_to(char **at, sc_slice text)
{
    char *copy = *at;

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    *at += text.len;
    return (sc_slice){text.ptr ? copy : NULL, text.len};
}

static void *keep(const void *user)
{
    const struct call *call = user;
    const struct read *read = call->read;
    struct kept *kept =
        sc__malloc(sizeof(*kept) + read->name.len + read->name2.len + read->tag_id.len);
    char *at;

    if (!kept)
        return NULL;
    at = kept->text;
    kept->call = (struct call){&kept->read, {""}};
    kept->read = *read;
    kept->catalog = *read->catalog;
    kept->read.catalog = &kept->catalog;
    kept->read.name = copy_to(&at, read->name);
    kept->read.name2 = copy_to(&at, read->name2);
    kept->read.tag_id = copy_to(&at, read->tag_id);
    return kept;
}

static void drop(void *user)
{
    sc_free(user);
}

enum {
#define X(name, seconds) SECONDS_##name = (seconds),
    CACHE_TTLS(X)
#undef X
};

#define X(name, entity, operation, ttl, tag)                                                       \
    static const char *const tags_##name[] = {"sc", entity, operation, tag, NULL};
READ_KINDS(X)
#undef X

static const sc_cache_def kinds[READ_KIND_COUNT] = {
#define X(kind, entity, operation, ttl, tag)                                                       \
    [READ_##kind] = {.name = operation,                                                            \
                     .ttl_ms = SECONDS_##ttl * INT64_C(1000),                                      \
                     .soft_ttl_ms = SECONDS_##ttl * INT64_C(800),                                  \
                     .tags = tags_##kind,                                                          \
                     .load = load,                                                                 \
                     .keep = keep,                                                                 \
                     .drop = drop},
    READ_KINDS(X)
#undef X
};

sc_err read_through(const struct read *read, const sc__str *key, sc_err key_err,
                    sc_cache_value *ret_json, sc_reason *ret_reason)
{
    struct call call = {read, {""}};
    sc_err err = key_err;

    if (!err)
        err = sc_cache_fetch(read->catalog->cache, &kinds[read->kind], sc__str_slice(key), &call,
                             ret_json);
    if (!err)
        return SC_OK;
    return sc__because(ret_reason, err, "%s",
                       call.reason.text[0] ? call.reason.text : sc_err_text(err));
}
