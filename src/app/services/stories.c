/* Reading stories; story_writes.c has what changes them. */
#include "stories.h"

#include "base/error.h"

#include "app/shapes.h"
#include "app/text_rules.h"

#include "read_through.h"
#include "story_parts.h"

enum { QUERY_MAX = 200, SEARCH_MAX = 50 };

sc_err story_missing(sc_slice slug, sc_reason *ret_reason)
{
    return sc__because(ret_reason, SC_ENOTFOUND, "there is no story \"%.*s\"",
                       (int)(slug.len < SLUG_MAX ? slug.len : SLUG_MAX), slug.ptr);
}

sc_err story_find_published(struct store *store, sc_slice slug, sc__arena *arena,
                            struct story **ret_story, sc_reason *ret_reason)
{
    struct story *story;
    sc_err err;

    if (!slug_is_valid(slug))
        return story_missing(slug, ret_reason);
    err = store_story_find(store, slug, arena, &story, ret_reason);
    if (err)
        return err;
    if (!story || story->status != PUBLISHED)
        return story_missing(slug, ret_reason);
    *ret_story = story;
    return SC_OK;
}

/* ---- Lists ---- */

static const char *const list_names[STORY_LIST_COUNT] = {
    [STORY_LIST_PUBLISHED] = "published",
    [STORY_LIST_NEW] = "new",
    [STORY_LIST_FEATURED] = "featured",
};

sc_err story_list_find(sc_slice name, enum story_list *ret_list)
{
    for (int list = 0; list < STORY_LIST_COUNT; list++)
        if (sc_slice_eq(name, sc_slice_of(list_names[list]))) {
            *ret_list = list;
            return SC_OK;
        }
    return SC_ENOTFOUND;
}

static sc_err write_list(const struct read *read, const struct story_query *query, sc__arena *arena,
                         sc__str *out, sc_reason *ret_reason)
{
    struct stories stories;
    sc_err err = store_story_list(read->catalog->store, query, arena, &stories, ret_reason);

    if (!err)
        stories_shape(out, &stories);
    return err;
}

static sc_err load_list(const struct read *read, sc__arena *arena, sc__str *out,
                        sc_reason *ret_reason)
{
    const struct story_query query = {
        .featured_only = read->list == STORY_LIST_FEATURED,
        .order = read->list == STORY_LIST_NEW ? BY_BIRTH : BY_UPDATE,
        .limit = STORY_LIST_MAX,
    };

    return write_list(read, &query, arena, out, ret_reason);
}

sc_err story_list_json(const struct catalog *catalog, enum story_list list,
                       sc_cache_value *ret_json, sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind =
                                  list == STORY_LIST_NEW ? READ_STORY_LIST_NEW : READ_STORY_LIST,
                              .list = list,
                              .load = load_list};
    AUTO_STR key = CACHE_KEY;
    sc_err key_err = cache_key_story_list(&key, list);

    return read_through(&read, &key, key_err, ret_json, ret_reason);
}

static sc_err load_user_list(const struct read *read, sc__arena *arena, sc__str *out,
                             sc_reason *ret_reason)
{
    const struct story_query query = {.writer_id = read->name, .limit = STORY_LIST_MAX};
    struct user *user = NULL;
    sc_err err = store_user_find(read->catalog->store, read->name, arena, &user, ret_reason);

    if (!err && !user)
        err = SC_ENOTFOUND;
    return err ? err : write_list(read, &query, arena, out, ret_reason);
}

sc_err story_user_list_json(const struct catalog *catalog, sc_slice user_id,
                            sc_cache_value *ret_json, sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind = READ_STORY_LIST,
                              .name = user_id,
                              .load = load_user_list,
                              .tag = cache_tag_user,
                              .tag_id = user_id};
    AUTO_STR key = CACHE_KEY;
    sc_err err = cache_key_user_stories(&key, user_id);

    err = read_through(&read, &key, err, ret_json, ret_reason);
    if (err == SC_ENOTFOUND)
        return sc__because(ret_reason, err, "there is no user with the id \"%.*s\"",
                           (int)user_id.len, user_id.ptr);
    return err;
}

static sc_err load_search(const struct read *read, sc__arena *arena, sc__str *out,
                          sc_reason *ret_reason)
{
    struct stories stories;
    sc_err err = store_story_search(read->catalog->store, read->name, SEARCH_MAX, arena, &stories,
                                    ret_reason);

    if (!err)
        stories_shape(out, &stories);
    return err;
}

sc_err story_search_json(const struct catalog *catalog, sc_slice text, sc_cache_value *ret_json,
                         sc_reason *ret_reason)
{
    const struct read read = {
        .catalog = catalog, .kind = READ_STORY_SEARCH, .name = text, .load = load_search};
    const struct cache_id id = {SC_S("query"), text};
    AUTO_STR key = CACHE_KEY;
    sc_err err = text_check("the text to search for", text, QUERY_MAX, ret_reason);

    if (err)
        return SC_EINVAL;
    err = cache_key_build(&key, CACHE_STORY, CACHE_SEARCH, &id, 1, SC_S(""));
    return read_through(&read, &key, err, ret_json, ret_reason);
}

/* ---- One story ---- */

/* A slug that can't be one is not asked for, so that nobody fills the cache with such keys. */
static sc_err read_story(const struct read *read, sc_err (*make_key)(sc__str *key, sc_slice slug),
                         sc_cache_value *ret_json, sc_reason *ret_reason)
{
    AUTO_STR key = CACHE_KEY;
    sc_err err;

    if (!slug_is_valid(read->name))
        return story_missing(read->name, ret_reason);
    err = read_through(read, &key, make_key(&key, read->name), ret_json, ret_reason);
    return err == SC_ENOTFOUND ? story_missing(read->name, ret_reason) : err;
}

static sc_err load_detail(const struct read *read, sc__arena *arena, sc__str *out,
                          sc_reason *ret_reason)
{
    struct story *story;
    sc_err err = story_find_published(read->catalog->store, read->name, arena, &story, ret_reason);

    if (!err)
        story_shape(out, story);
    return err;
}

sc_err story_detail_json(const struct catalog *catalog, sc_slice slug, sc_cache_value *ret_json,
                         sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind = READ_STORY_DETAIL,
                              .name = slug,
                              .load = load_detail,
                              .tag = cache_tag_story,
                              .tag_id = slug};

    return read_story(&read, cache_key_story_detail, ret_json, ret_reason);
}

static sc_err load_overview(const struct read *read, sc__arena *arena, sc__str *out,
                            sc_reason *ret_reason)
{
    struct store *store = read->catalog->store;
    struct members collaborators;
    struct story *story;
    sc_err err = story_find_published(store, read->name, arena, &story, ret_reason);

    if (!err)
        err = store_collaborator_list(store, story->id, arena, &collaborators, ret_reason);
    if (!err)
        overview_shape(out, story, &collaborators);
    return err;
}

sc_err story_overview_json(const struct catalog *catalog, sc_slice slug, sc_cache_value *ret_json,
                           sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind = READ_STORY_OVERVIEW,
                              .name = slug,
                              .load = load_overview,
                              .tag = cache_tag_story,
                              .tag_id = slug};

    return read_story(&read, cache_key_story_overview, ret_json, ret_reason);
}

static sc_err load_tree(const struct read *read, sc__arena *arena, sc__str *out,
                        sc_reason *ret_reason)
{
    struct store *store = read->catalog->store;
    struct chapters chapters;
    struct story *story;
    sc_err err = story_find_published(store, read->name, arena, &story, ret_reason);

    if (!err)
        err = store_chapter_list(store, story->id, arena, &chapters, ret_reason);
    if (!err)
        tree_shape(out, story, &chapters);
    return err;
}

sc_err story_tree_json(const struct catalog *catalog, sc_slice slug, sc_cache_value *ret_json,
                       sc_reason *ret_reason)
{
    const struct read read = {.catalog = catalog,
                              .kind = READ_STORY_TREE,
                              .name = slug,
                              .load = load_tree,
                              .tag = cache_tag_story,
                              .tag_id = slug};

    return read_story(&read, cache_key_story_tree, ret_json, ret_reason);
}
