#include "cache_keys.h"

#include <stdlib.h>

enum { IDS_MAX = 8 };

static const char *const entities[] = {
#define X(name, text) text,
    CACHE_ENTITIES(X)
#undef X
};

static const char *const operations[] = {
#define X(name, text) text,
    CACHE_OPERATIONS(X)
#undef X
};

static const char *const story_lists[STORY_LIST_COUNT] = {
    [STORY_LIST_PUBLISHED] = "published",
    [STORY_LIST_NEW] = "new",
    [STORY_LIST_FEATURED] = "featured",
};

enum {
    ENTITY_COUNT = sizeof(entities) / sizeof(*entities),
    OPERATION_COUNT = sizeof(operations) / sizeof(*operations)
};

static sc_err find_name(const char *const *names, size_t count, sc_slice name, int *ret_index)
{
    for (size_t i = 0; i < count; i++) {
        if (sc_slice_eq(name, sc_slice_of(names[i]))) {
            *ret_index = (int)i;
            return SC_OK;
        }
    }
    return SC_ENOTFOUND;
}

sc_err cache_entity_find(sc_slice name, enum cache_entity *ret_entity)
{
    int index = 0;
    sc_err err = find_name(entities, ENTITY_COUNT, name, &index);

    if (!err)
        *ret_entity = (enum cache_entity)index;
    return err;
}

sc_err cache_operation_find(sc_slice name, enum cache_operation *ret_operation)
{
    int index = 0;
    sc_err err = find_name(operations, OPERATION_COUNT, name, &index);

    if (!err)
        *ret_operation = (enum cache_operation)index;
    return err;
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void append_escaped(sc__str *key, sc_slice text)
{
    static const char hex[] = "0123456789ABCDEF";

    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        if (is_plain((char)c)) {
            sc__str_char(key, (char)c);
            continue;
        }
        sc__str_char(key, '%');
        sc__str_char(key, hex[c >> 4]);
        sc__str_char(key, hex[c & 15]);
    }
}

static void start(sc__str *key, const char *entity, const char *operation)
{
    sc__str_reset(key);
    sc__str_text(key, "sc:");
    sc__str_text(key, entity);
    sc__str_char(key, ':');
    sc__str_text(key, operation);
}

static sc_err give_up(sc__str *key, sc_err err)
{
    sc__str_reset(key);
    return err;
}

/* A key that was cut off would be another call's key, so a failure leaves none. */
static sc_err finish(sc__str *key)
{
    return key->err ? give_up(key, key->err) : SC_OK;
}

static int by_name(const void *a, const void *b)
{
    sc_slice x = ((const struct cache_id *)a)->name, y = ((const struct cache_id *)b)->name;
    size_t common = x.len < y.len ? x.len : y.len;
    int order = common ? memcmp(x.ptr, y.ptr, common) : 0;

    return order ? order : (x.len > y.len) - (x.len < y.len);
}

static sc_err append_ids(sc__str *key, const struct cache_id *ids, size_t count)
{
    struct cache_id sorted[IDS_MAX];

    if (count > IDS_MAX)
        return SC_EINVAL;
    for (size_t i = 0; i < count; i++)
        sorted[i] = ids[i];
    qsort(sorted, count, sizeof(*sorted), by_name);
    for (size_t i = 0; i < count; i++) {
        if (!sorted[i].name.len || (i && sc_slice_eq(sorted[i].name, sorted[i - 1].name)))
            return SC_EINVAL;
        sc__str_char(key, ':');
        append_escaped(key, sorted[i].name);
        sc__str_char(key, '=');
        append_escaped(key, sorted[i].value);
    }
    return SC_OK;
}

sc_err cache_key_build(sc__str *key, enum cache_entity entity, enum cache_operation operation,
                       const struct cache_id *ids, size_t id_count, sc_slice variant)
{
    sc_err err;

    if ((int)entity < 0 || (int)entity >= ENTITY_COUNT || (int)operation < 0 ||
        (int)operation >= OPERATION_COUNT)
        return give_up(key, SC_EINVAL);
    start(key, entities[entity], operations[operation]);
    err = append_ids(key, ids, id_count);
    if (err)
        return give_up(key, err);
    if (variant.len) {
        sc__str_char(key, ':');
        append_escaped(key, variant);
    }
    return finish(key);
}

/* What a pattern and a tag begin with. */
static sc_err begin(sc__str *key, enum cache_entity entity, enum cache_operation operation)
{
    if ((int)entity >= ENTITY_COUNT || (int)operation >= OPERATION_COUNT)
        return give_up(key, SC_EINVAL);
    if (entity == CACHE_ANY_ENTITY && operation != CACHE_ANY_OPERATION)
        return give_up(key, SC_EINVAL);
    sc__str_reset(key);
    sc__str_text(key, "sc");
    if (entity != CACHE_ANY_ENTITY)
        sc__str_printf(key, ":%s", entities[entity]);
    if (operation != CACHE_ANY_OPERATION)
        sc__str_printf(key, ":%s", operations[operation]);
    return SC_OK;
}

sc_err cache_key_pattern(sc__str *key, enum cache_entity entity, enum cache_operation operation)
{
    sc_err err = begin(key, entity, operation);

    if (err)
        return err;
    sc__str_text(key, ":*");
    return finish(key);
}

sc_err cache_tag_of(sc__str *out, enum cache_entity entity, enum cache_operation operation)
{
    sc_err err = begin(out, entity, operation);

    return err ? err : finish(out);
}

static sc_err with_id(sc__str *key, enum cache_entity entity, enum cache_operation operation,
                      sc_slice name, sc_slice value)
{
    const struct cache_id id = {name, value};

    return cache_key_build(key, entity, operation, &id, 1, SC_S(""));
}

sc_err cache_key_story_detail(sc__str *key, sc_slice slug)
{
    return with_id(key, CACHE_STORY, CACHE_DETAIL, SC_S("slug"), slug);
}

sc_err cache_key_story_tree(sc__str *key, sc_slice slug)
{
    return with_id(key, CACHE_STORY, CACHE_TREE, SC_S("slug"), slug);
}

sc_err cache_key_story_overview(sc__str *key, sc_slice slug)
{
    return with_id(key, CACHE_STORY, CACHE_OVERVIEW, SC_S("slug"), slug);
}

sc_err cache_key_story_list(sc__str *key, enum story_list list)
{
    if ((int)list < 0 || list >= STORY_LIST_COUNT)
        return give_up(key, SC_EINVAL);
    return cache_key_build(key, CACHE_STORY, CACHE_LIST, NULL, 0, sc_slice_of(story_lists[list]));
}

sc_err cache_key_user_stories(sc__str *key, sc_slice user_id)
{
    return with_id(key, CACHE_STORY, CACHE_LIST, SC_S("userId"), user_id);
}

sc_err cache_key_chapter_detail(sc__str *key, sc_slice story_slug, sc_slice chapter_slug)
{
    const struct cache_id ids[] = {{SC_S("chapterSlug"), chapter_slug},
                                   {SC_S("storySlug"), story_slug}};

    return cache_key_build(key, CACHE_CHAPTER, CACHE_DETAIL, ids, 2, SC_S(""));
}

sc_err cache_key_user_profile(sc__str *key, sc_slice clerk_id)
{
    return with_id(key, CACHE_USER, CACHE_DETAIL, SC_S("clerkId"), clerk_id);
}

sc_err cache_key_notification_count(sc__str *key, sc_slice user_id)
{
    return with_id(key, CACHE_NOTIFICATION, CACHE_COUNT, SC_S("userId"), user_id);
}

sc_err cache_key_reading_history(sc__str *key, sc_slice user_id, sc_slice story_slug)
{
    const struct cache_id ids[] = {{SC_S("storySlug"), story_slug}, {SC_S("userId"), user_id}};

    return cache_key_build(key, CACHE_READING_HISTORY, CACHE_DETAIL, ids, 2, SC_S(""));
}

static sc_err tag(sc__str *out, const char *what, sc_slice id)
{
    sc__str_reset(out);
    sc__str_text(out, what);
    append_escaped(out, id);
    return finish(out);
}

sc_err cache_tag_story(sc__str *out, sc_slice slug)
{
    return tag(out, "sc:story:slug=", slug);
}

sc_err cache_tag_chapters(sc__str *out, sc_slice slug)
{
    return tag(out, "sc:chapter:storySlug=", slug);
}

sc_err cache_tag_user(sc__str *out, sc_slice user_id)
{
    return tag(out, "sc:user:userId=", user_id);
}

sc_err cache_key_rate_limit(sc__str *key, sc_slice client)
{
    sc__str_reset(key);
    sc__str_text(key, "sc:rate-limit:client=");
    append_escaped(key, client);
    return finish(key);
}
