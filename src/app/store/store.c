/* Picks the implementation by URL and hands every call on to it. */
#include "store.h"

#include "base/error.h"

#include "ops.h"

sc_err store_open(const char *url, struct store **ret_store, sc_reason *ret_reason)
{
    static const char scheme[] = "sqlite:";
    const char *path = url + sizeof(scheme) - 1;

    if (strncmp(url, scheme, sizeof(scheme) - 1) != 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "the store \"%s\" is of a kind that is not known here: use "
                           "sqlite:///absolute/path.db or sqlite:relative/path.db",
                           url);
    if (strncmp(path, "//", 2) == 0)
        path += 2;
    if (!*path)
        return sc__because(ret_reason, SC_EINVAL, "the store \"%s\" names no file", url);
    return sqlite_store_open(path, ret_store, ret_reason);
}

void store_close(struct store *store)
{
    if (store)
        store->core->close(store);
}

const char *store_where(const struct store *store)
{
    return store->core->where(store);
}

sc_err store_check(struct store *store, sc_reason *ret_reason)
{
    return store->core->check(store, ret_reason);
}

sc_err store_user_put(struct store *store, struct user *user, sc__arena *arena, bool *ret_created,
                      sc_reason *ret_reason)
{
    return store->users->put(store, user, arena, ret_created, ret_reason);
}

sc_err store_user_find(struct store *store, sc_slice id, sc__arena *arena, struct user **ret_user,
                       sc_reason *ret_reason)
{
    return store->users->find(store, id, arena, ret_user, ret_reason);
}

sc_err store_user_find_by_clerk_id(struct store *store, sc_slice clerk_id, sc__arena *arena,
                                   struct user **ret_user, sc_reason *ret_reason)
{
    return store->users->find_by_clerk_id(store, clerk_id, arena, ret_user, ret_reason);
}

sc_err store_story_find(struct store *store, sc_slice slug, sc__arena *arena,
                        struct story **ret_story, sc_reason *ret_reason)
{
    return store->stories->find(store, slug, arena, ret_story, ret_reason);
}

sc_err store_story_find_by_id(struct store *store, sc_slice id, sc__arena *arena,
                              struct story **ret_story, sc_reason *ret_reason)
{
    return store->stories->find_by_id(store, id, arena, ret_story, ret_reason);
}

sc_err store_story_list(struct store *store, const struct story_query *query, sc__arena *arena,
                        struct stories *ret_stories, sc_reason *ret_reason)
{
    return store->stories->list(store, query, arena, ret_stories, ret_reason);
}

sc_err store_story_search(struct store *store, sc_slice text, int64_t limit, sc__arena *arena,
                          struct stories *ret_stories, sc_reason *ret_reason)
{
    return store->stories->search(store, text, limit, arena, ret_stories, ret_reason);
}

sc_err store_story_trending(struct store *store, int64_t now_ms, int64_t window_ms, int64_t limit,
                            sc__arena *arena, struct stories *ret_stories, sc_reason *ret_reason)
{
    return store->stories->trending(store, now_ms, window_ms, limit, arena, ret_stories,
                                    ret_reason);
}

sc_err store_story_insert(struct store *store, struct story *story, sc__arena *arena,
                          sc_reason *ret_reason)
{
    return store->stories->insert(store, story, arena, ret_reason);
}

sc_err store_story_update(struct store *store, struct story *story, sc_reason *ret_reason)
{
    return store->stories->update(store, story, ret_reason);
}

sc_err store_chapter_find(struct store *store, sc_slice story_id, sc_slice slug, sc__arena *arena,
                          struct chapter **ret_chapter, sc_reason *ret_reason)
{
    return store->chapters->chapter_find(store, story_id, slug, arena, ret_chapter, ret_reason);
}

sc_err store_chapter_list(struct store *store, sc_slice story_id, sc__arena *arena,
                          struct chapters *ret_chapters, sc_reason *ret_reason)
{
    return store->chapters->chapter_list(store, story_id, arena, ret_chapters, ret_reason);
}

sc_err store_chapter_insert(struct store *store, struct chapter *chapter, sc__arena *arena,
                            sc_reason *ret_reason)
{
    return store->chapters->chapter_insert(store, chapter, arena, ret_reason);
}

sc_err store_chapter_list_untold(struct store *store, int64_t limit, sc__arena *arena,
                                 struct chapters *ret_chapters, sc_reason *ret_reason)
{
    return store->chapters->chapter_list_untold(store, limit, arena, ret_chapters, ret_reason);
}

sc_err store_chapter_mark_told(struct store *store, sc_slice id, sc_reason *ret_reason)
{
    return store->chapters->chapter_mark_told(store, id, ret_reason);
}

sc_err store_bundle_insert(struct store *store, struct story_bundle *bundle,
                           store_progress progress, void *user, sc__arena *arena,
                           sc_reason *ret_reason)
{
    return store->chapters->bundle_insert(store, bundle, progress, user, arena, ret_reason);
}

sc_err store_collaborator_put(struct store *store, sc_slice story_id, sc_slice user_id,
                              sc_slice role, sc_reason *ret_reason)
{
    return store->people->collaborator_put(store, story_id, user_id, role, ret_reason);
}

sc_err store_collaborator_remove(struct store *store, sc_slice story_id, sc_slice user_id,
                                 bool *ret_removed, sc_reason *ret_reason)
{
    return store->people->collaborator_remove(store, story_id, user_id, ret_removed, ret_reason);
}

sc_err store_collaborator_list(struct store *store, sc_slice story_id, sc__arena *arena,
                               struct members *ret_members, sc_reason *ret_reason)
{
    return store->people->collaborator_list(store, story_id, arena, ret_members, ret_reason);
}

sc_err store_follower_add(struct store *store, sc_slice story_id, sc_slice user_id,
                          bool *ret_changed, sc_reason *ret_reason)
{
    return store->people->follower_add(store, story_id, user_id, ret_changed, ret_reason);
}

sc_err store_follower_remove(struct store *store, sc_slice story_id, sc_slice user_id,
                             bool *ret_changed, sc_reason *ret_reason)
{
    return store->people->follower_remove(store, story_id, user_id, ret_changed, ret_reason);
}

sc_err store_audience_list(struct store *store, sc_slice story_id, sc_slice after_user_id,
                           int64_t limit, sc__arena *arena, struct users *ret_users,
                           sc_reason *ret_reason)
{
    return store->people->audience_list(store, story_id, after_user_id, limit, arena, ret_users,
                                        ret_reason);
}

sc_err store_notification_insert(struct store *store, struct notification *notification,
                                 sc__arena *arena, bool *ret_created, sc_reason *ret_reason)
{
    return store->notifications->insert(store, notification, arena, ret_created, ret_reason);
}

sc_err store_notification_list(struct store *store, sc_slice user_id, bool unread_only,
                               int64_t limit, int64_t offset, sc__arena *arena,
                               struct notifications *ret_notifications, sc_reason *ret_reason)
{
    return store->notifications->list(store, user_id, unread_only, limit, offset, arena,
                                      ret_notifications, ret_reason);
}

sc_err store_notification_count_unread(struct store *store, sc_slice user_id, int64_t *ret_count,
                                       sc_reason *ret_reason)
{
    return store->notifications->count_unread(store, user_id, ret_count, ret_reason);
}

sc_err store_notification_mark_read(struct store *store, sc_slice user_id, sc_slice id,
                                    int64_t read_ms, int64_t *ret_count, sc_reason *ret_reason)
{
    return store->notifications->mark_read(store, user_id, id, read_ms, ret_count, ret_reason);
}

sc_err store_autosave_put(struct store *store, struct autosave *autosave, sc_reason *ret_reason)
{
    return store->desk->autosave_put(store, autosave, ret_reason);
}

sc_err store_autosave_find(struct store *store, sc_slice user_id, sc_slice story_id,
                           sc_slice chapter, sc__arena *arena, struct autosave **ret_autosave,
                           sc_reason *ret_reason)
{
    return store->desk->autosave_find(store, user_id, story_id, chapter, arena, ret_autosave,
                                      ret_reason);
}

sc_err store_autosave_remove(struct store *store, sc_slice user_id, sc_slice story_id,
                             sc_slice chapter, bool *ret_removed, sc_reason *ret_reason)
{
    return store->desk->autosave_remove(store, user_id, story_id, chapter, ret_removed, ret_reason);
}

sc_err store_session_put(struct store *store, struct session *session, sc_reason *ret_reason)
{
    return store->desk->session_put(store, session, ret_reason);
}

sc_err store_session_find(struct store *store, sc_slice id, int64_t now_ms, sc__arena *arena,
                          struct session **ret_session, sc_reason *ret_reason)
{
    return store->desk->session_find(store, id, now_ms, arena, ret_session, ret_reason);
}

sc_err store_session_remove(struct store *store, sc_slice id, bool *ret_removed,
                            sc_reason *ret_reason)
{
    return store->desk->session_remove(store, id, ret_removed, ret_reason);
}

sc_err store_reading_put(struct store *store, sc_slice user_id, sc_slice story_id,
                         sc_slice chapter_slug, int64_t read_ms, sc_reason *ret_reason)
{
    return store->desk->reading_put(store, user_id, story_id, chapter_slug, read_ms, ret_reason);
}

sc_err store_reading_list(struct store *store, sc_slice user_id, sc_slice story_id, int64_t limit,
                          sc__arena *arena, struct readings *ret_readings, sc_reason *ret_reason)
{
    return store->desk->reading_list(store, user_id, story_id, limit, arena, ret_readings,
                                     ret_reason);
}

sc_err store_events_insert(struct store *store, const struct event *events, size_t count,
                           size_t *ret_stored, sc_reason *ret_reason)
{
    return store->records->events_insert(store, events, count, ret_stored, ret_reason);
}

sc_err store_day_aggregate(struct store *store, int64_t day_ms, int64_t *ret_rows,
                           sc_reason *ret_reason)
{
    return store->records->day_aggregate(store, day_ms, ret_rows, ret_reason);
}

sc_err store_day_list(struct store *store, int64_t from_ms, int64_t to_ms, sc__arena *arena,
                      struct day_stats *ret_stats, sc_reason *ret_reason)
{
    return store->records->day_list(store, from_ms, to_ms, arena, ret_stats, ret_reason);
}

sc_err store_job_run_put(struct store *store, const struct job_run *run, sc_reason *ret_reason)
{
    return store->records->job_run_put(store, run, ret_reason);
}

sc_err store_job_run_list(struct store *store, sc_slice job, int64_t limit, sc__arena *arena,
                          struct job_runs *ret_runs, sc_reason *ret_reason)
{
    return store->records->job_run_list(store, job, limit, arena, ret_runs, ret_reason);
}

sc_err store_cleanup_count(struct store *store, enum cleanup_kind kind, int64_t before_ms,
                           int64_t *ret_count, sc_reason *ret_reason)
{
    return store->cleanup->count(store, kind, before_ms, ret_count, ret_reason);
}

sc_err store_cleanup_slice(struct store *store, enum cleanup_kind kind, int64_t before_ms,
                           int64_t limit, int64_t *ret_deleted, sc_reason *ret_reason)
{
    return store->cleanup->slice(store, kind, before_ms, limit, ret_deleted, ret_reason);
}
