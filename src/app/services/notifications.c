#include "notifications.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/rand.h"
#include "base/str.h"

#include "app/cache_keys.h"
#include "app/invalidate.h"
#include "app/queues.h"

#include "read_through.h"

/* Of an audience, told at a time; memory and transactions stay small whatever its size. */
enum { AUDIENCE_PAGE = 100, PAGE_MEMORY = 4 * 1024 * 1024 };

struct notifier {
    struct store *store;
    sc_cache *cache;
    struct queues *queues;
};

sc_err notifier_new(struct store *store, sc_cache *cache, struct queues *queues,
                    struct notifier **ret_notifier, sc_reason *ret_reason)
{
    struct notifier *notifier = sc__malloc(sizeof(*notifier));

    if (!notifier)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    *notifier = (struct notifier){store, cache, queues};
    *ret_notifier = notifier;
    return SC_OK;
}

void notifier_free(struct notifier *notifier)
{
    sc_free(notifier);
}

/* ---- Creating ---- */

/* The key goes with the job: its processor finds the stored notification by it. */
static sc_err make_key(struct notification *n, sc__arena *arena, sc_reason *ret_reason)
{
    char token[SC__TOKEN_LEN + 1];
    char *key;

    if (n->key.len)
        return SC_OK;
    sc__rand_token(token);
    key = sc__arena_dup(arena, sc_slice_of(token));
    if (!key)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    n->key = sc_slice_of(key);
    return SC_OK;
}

static struct notice notice_of(const struct notification *n)
{
    return (struct notice){n->user_id,    n->type,     n->title, n->message,
                           n->action_url, n->metadata, n->key};
}

static sc_err write_payload(const struct notification *n, json_t **ret_payload,
                            sc_reason *ret_reason)
{
    const struct notice notice = notice_of(n);

    return notice_write(&notice, ret_payload, ret_reason);
}

/* Checks first: what is stored can also be delivered. */
static sc_err store_one(struct notifier *notifier, struct notification *n, sc__arena *arena,
                        json_t **ret_payload, sc_reason *ret_reason)
{
    sc_err err = make_key(n, arena, ret_reason);

    if (!err)
        err = write_payload(n, ret_payload, ret_reason);
    if (!err)
        err = store_notification_insert(notifier->store, n, arena, NULL, ret_reason);
    if (!err)
        invalidate_notification_count(notifier->cache, n->user_id);
    return err;
}

enum { JOB_ID_MAX = 128 };

static sc_slice write_job_id(const struct notification *n, char out[JOB_ID_MAX])
{
    int len = snprintf(out, JOB_ID_MAX, "notification-%.*s", (int)n->id.len, n->id.ptr);

    return (sc_slice){out, (size_t)len};
}

sc_err notification_create(struct notifier *notifier, struct notification *notification,
                           sc__arena *arena, sc_reason *ret_reason)
{
    AUTO_JSON *payload = NULL;
    struct notice notice;
    char id[JOB_ID_MAX];
    sc_err err = store_one(notifier, notification, arena, &payload, ret_reason);

    if (err)
        return err;
    notice = notice_of(notification);
    return queues_send_notification(notifier->queues, &notice, write_job_id(notification, id), NULL,
                                    ret_reason);
}

sc_err notification_welcome(struct notifier *notifier, const struct user *user,
                            sc_reason *ret_reason)
{
    AUTO_JSON *context = json_object();
    struct email email = {user->email, SC_S("Welcome to StoryChain"), SC_S("welcome"), context};
    char id[JOB_ID_MAX];
    int len = snprintf(id, sizeof(id), "welcome-%.*s", (int)user->id.len, user->id.ptr);

    if (!user->email.len)
        return SC_OK;
    if (json_object_set_new(context, "name", json_stringn(user->name.ptr, user->name.len)))
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    return queues_send_email(notifier->queues, &email, (sc_slice){id, (size_t)len}, NULL,
                             ret_reason);
}

/* ---- Telling an audience ---- */

struct page {
    struct queue_job jobs[AUDIENCE_PAGE];
    json_t *payloads[AUDIENCE_PAGE];
    sc_job_opts opts[AUDIENCE_PAGE];
    char ids[AUDIENCE_PAGE][JOB_ID_MAX];
    size_t count;
};

static sc_err add_to_page(struct notifier *notifier, struct page *page,
                          const struct notification *model, sc_slice user_id, sc__arena *arena,
                          sc_reason *ret_reason)
{
    struct notification n = *model;
    char *key = sc__arena_printf(arena, "%.*s:%.*s", (int)model->key.len, model->key.ptr,
                                 (int)user_id.len, user_id.ptr);
    size_t at = page->count;
    sc_err err;

    if (!key)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    n.key = sc_slice_of(key);
    n.user_id = user_id;
    err = store_one(notifier, &n, arena, &page->payloads[at], ret_reason);
    if (err)
        return err;
    page->opts[at] = queue_opts_with_id(write_job_id(&n, page->ids[at]));
    page->jobs[at] =
        (struct queue_job){SC_S(SEND_NOTIFICATION), page->payloads[at], &page->opts[at]};
    page->count++;
    return SC_OK;
}

/* Those who were stored are also queued, when the next one fails. */
static sc_err tell_page(struct notifier *notifier, const struct users *users, sc_slice but_user_id,
                        const struct notification *model, sc__arena *arena, int64_t *told,
                        sc_reason *ret_reason)
{
    struct page *page = sc__arena_zalloc(arena, sizeof(*page));
    sc_id_list *ids = NULL;
    sc_err err = SC_OK, add_err = SC_OK;

    if (!page)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    for (size_t i = 0; !err && i < users->count; i++)
        if (!sc_slice_eq(users->items[i].id, but_user_id))
            err = add_to_page(notifier, page, model, users->items[i].id, arena, ret_reason);
    if (page->count)
        add_err = queues_add_bulk(notifier->queues, QUEUE_NOTIFICATION, page->jobs, page->count,
                                  &ids, ret_reason);
    if (!add_err)
        *told += (int64_t)page->count;
    sc_id_list_free(ids);
    for (size_t i = 0; i < AUDIENCE_PAGE; i++)
        json_decref(page->payloads[i]);
    return err ? err : add_err;
}

sc_err notification_tell_audience(struct notifier *notifier, sc_slice story_id,
                                  sc_slice but_user_id, const struct notification *model,
                                  int64_t *ret_told, sc_reason *ret_reason)
{
    struct users users = {NULL, AUDIENCE_PAGE};
    char last[256] = "";
    int64_t told = 0;
    sc_err err =
        model->key.len ? SC_OK : sc__because(ret_reason, SC_EPAYLOAD, "field \"key\" is missing");

    while (!err && users.count == AUDIENCE_PAGE) {
        sc__arena arena;

        sc__arena_init(&arena, PAGE_MEMORY);
        err = store_audience_list(notifier->store, story_id, sc_slice_of(last), AUDIENCE_PAGE,
                                  &arena, &users, ret_reason);
        if (!err && users.count) {
            const struct user *end = &users.items[users.count - 1];

            snprintf(last, sizeof(last), "%.*s", (int)end->id.len, end->id.ptr);
            err = tell_page(notifier, &users, but_user_id, model, &arena, &told, ret_reason);
        }
        sc__arena_release(&arena);
    }
    if (ret_told)
        *ret_told = told;
    return err;
}

/* ---- Reading ---- */

sc_err notification_list(struct notifier *notifier, sc_slice user_id, bool unread_only,
                         int64_t limit, int64_t offset, sc__arena *arena,
                         struct notifications *ret_notifications, sc_reason *ret_reason)
{
    return store_notification_list(notifier->store, user_id, unread_only, limit, offset, arena,
                                   ret_notifications, ret_reason);
}

static sc_err load_count(const struct read *read, sc__arena *arena, sc__str *out,
                         sc_reason *ret_reason)
{
    int64_t count;
    sc_err err =
        store_notification_count_unread(read->catalog->store, read->name, &count, ret_reason);

    (void)arena;
    if (!err)
        sc__str_int(out, count);
    return err;
}

sc_err notification_count_unread(struct notifier *notifier, sc_slice user_id, int64_t *ret_count,
                                 enum sc_cache_source *ret_source, int64_t *ret_age_ms,
                                 sc_reason *ret_reason)
{
    const struct catalog catalog = {.store = notifier->store, .cache = notifier->cache};
    const struct read read = {.catalog = &catalog,
                              .kind = READ_NOTIFICATION_COUNT,
                              .name = user_id,
                              .load = load_count,
                              .tag = cache_tag_user,
                              .tag_id = user_id};
    AUTO_STR key = CACHE_KEY;
    sc_cache_value value;
    bool is_number;
    sc_err err = cache_key_notification_count(&key, user_id);

    if (err)
        return sc__because(ret_reason, err, "the user's id can't be part of a cache key");
    err = read_through(&read, &key, SC_OK, &value, ret_reason);
    if (err)
        return err;
    is_number = sc__int_parse(value.bytes, ret_count);
    if (is_number && ret_source)
        *ret_source = value.source;
    if (is_number && ret_age_ms)
        *ret_age_ms = value.age_ms;
    sc_cache_value_release(&value);
    if (is_number)
        return SC_OK;
    /* Something else wrote there. The truth is in the store. */
    if (ret_source)
        *ret_source = SC_CACHE_MISS;
    if (ret_age_ms)
        *ret_age_ms = 0;
    invalidate_notification_count(notifier->cache, user_id);
    return store_notification_count_unread(notifier->store, user_id, ret_count, ret_reason);
}

sc_err notification_mark_read(struct notifier *notifier, sc_slice user_id, sc_slice id,
                              int64_t *ret_count, sc_reason *ret_reason)
{
    sc_err err = store_notification_mark_read(notifier->store, user_id, id, sc__wall_ms(),
                                              ret_count, ret_reason);

    if (!err)
        invalidate_notification_count(notifier->cache, user_id);
    return err;
}
