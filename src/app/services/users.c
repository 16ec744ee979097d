#include "users.h"

#include <stdio.h>

#include "base/error.h"
#include "base/log.h"

#include "app/invalidate.h"
#include "app/shapes.h"
#include "app/text_rules.h"

#include "notifications.h"
#include "read_through.h"
#include "story_parts.h"

enum { ARENA_MAX = 128 * 1024 * 1024, STORIES_AT_ONCE = 200, USERS_AT_ONCE = 100, ID_MAX = 256 };

static sc_err check(const struct user *user, sc_reason *ret_reason)
{
    sc_err err = line_check("clerkId", user->clerk_id, NAME_MAX_BYTES, ret_reason);

    if (!err && user->name.ptr)
        err = line_check("the name", user->name, NAME_MAX_BYTES, ret_reason);
    if (!err && user->email.ptr)
        err = email_check("the mail address", user->email, ret_reason);
    return err;
}

/* Their name stands in all stories that they write in. */
static sc_err invalidate_stories(const struct catalog *catalog, sc_slice user_id,
                                 sc_reason *ret_reason)
{
    struct story_query query = {.writer_id = user_id, .drafts_too = true, .limit = STORIES_AT_ONCE};
    struct stories stories;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    do {
        sc__arena_reset(&arena);
        err = store_story_list(catalog->store, &query, &arena, &stories, ret_reason);
        for (size_t i = 0; !err && i < stories.count; i++)
            story_invalidate(catalog, stories.items[i].id, true);
        query.offset += STORIES_AT_ONCE;
    } while (!err && stories.count == STORIES_AT_ONCE);
    sc__arena_release(&arena);
    return err;
}

/* Without the mail a user is a user. */
static void welcome(const struct catalog *catalog, const struct user *user)
{
    sc_reason reason = {""};
    sc_err err = catalog->notifier ? notification_welcome(catalog->notifier, user, &reason) : SC_OK;

    if (err)
        sc__log(SC_LOG_WARN, "user %.*s gets no welcome mail: %s", (int)user->id.len, user->id.ptr,
                reason.text[0] ? reason.text : sc_err_text(err));
}

sc_err user_put(const struct catalog *catalog, struct user *user, sc__arena *arena,
                bool *ret_created, sc_reason *ret_reason)
{
    struct user *old = NULL;
    sc_err err = check(user, ret_reason);

    if (!err)
        err = store_user_find_by_clerk_id(catalog->store, user->clerk_id, arena, &old, ret_reason);
    if (!err && !old && !user->name.ptr)
        err = sc__because(ret_reason, SC_EINVAL, "the name is missing");
    if (!err)
        err = store_user_put(catalog->store, user, arena, ret_created, ret_reason);
    if (err)
        return err;
    invalidate_user(catalog->cache, user->id, user->clerk_id);
    if (!old)
        welcome(catalog, user);
    else if (!sc_slice_eq(old->name, user->name))
        err = invalidate_stories(catalog, user->id, ret_reason);
    return err;
}

/* A page of a story's people, after the one with the id `last`, which becomes the page's last. */
static sc_err invalidate_page(const struct catalog *catalog, sc_slice story_id, char last[ID_MAX],
                              bool *ret_more, sc_reason *ret_reason)
{
    struct users users = {NULL, 0};
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, ARENA_MAX);
    err = store_audience_list(catalog->store, story_id, sc_slice_of(last), USERS_AT_ONCE, &arena,
                              &users, ret_reason);
    for (size_t i = 0; !err && i < users.count; i++) {
        const struct user *user = &users.items[i];

        invalidate_user(catalog->cache, user->id, user->clerk_id);
        err = invalidate_stories(catalog, user->id, ret_reason);
        snprintf(last, ID_MAX, "%.*s", (int)user->id.len, user->id.ptr);
    }
    *ret_more = users.count == USERS_AT_ONCE;
    sc__arena_release(&arena);
    return err;
}

void story_people_invalidate(const struct catalog *catalog, sc_slice story_id)
{
    char last[ID_MAX] = "";
    sc_reason reason = {""};
    bool more = true;
    sc_err err = SC_OK;

    while (!err && more)
        err = invalidate_page(catalog, story_id, last, &more, &reason);
    if (err)
        sc__log(SC_LOG_ERROR, "the cache may show old names until they expire: %s", reason.text);
}

static sc_err load_profile(const struct read *read, sc__arena *arena, sc__str *out,
                           sc_reason *ret_reason)
{
    struct user *user = NULL;
    sc_err err =
        store_user_find_by_clerk_id(read->catalog->store, read->name, arena, &user, ret_reason);

    if (!err && !user)
        err = SC_ENOTFOUND;
    if (!err)
        user_shape(out, user);
    return err;
}

sc_err user_profile_json(const struct catalog *catalog, sc_slice clerk_id, sc_cache_value *ret_json,
                         sc_reason *ret_reason)
{
    const struct read read = {
        .catalog = catalog, .kind = READ_USER_PROFILE, .name = clerk_id, .load = load_profile};
    AUTO_STR key = CACHE_KEY;
    sc_err err = cache_key_user_profile(&key, clerk_id);

    err = read_through(&read, &key, err, ret_json, ret_reason);
    if (err == SC_ENOTFOUND)
        return sc__because(ret_reason, err, "there is no user with the clerkId \"%.*s\"",
                           (int)clerk_id.len, clerk_id.ptr);
    return err;
}
