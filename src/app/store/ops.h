/* What an implementation of store.h fills in: a table of functions per group of nouns.
 *
 * The types of the functions are those of store.h, whose contracts they fulfil. */
#ifndef APP_STORE_OPS_H
#define APP_STORE_OPS_H

#include "store.h"

/* The function `name` of store.h, as a member. */
#define STORE_OP(member, name) __typeof__(store_##name) *member

struct core_ops {
    void (*close)(struct store *store);
    const char *(*where)(const struct store *store);
    STORE_OP(check, check);
};

struct users_ops {
    STORE_OP(put, user_put);
    STORE_OP(find, user_find);
    STORE_OP(find_by_clerk_id, user_find_by_clerk_id);
};

struct stories_ops {
    STORE_OP(find, story_find);
    STORE_OP(find_by_id, story_find_by_id);
    STORE_OP(list, story_list);
    STORE_OP(search, story_search);
    STORE_OP(trending, story_trending);
    STORE_OP(insert, story_insert);
    STORE_OP(update, story_update);
};

struct chapters_ops {
    STORE_OP(chapter_find, chapter_find);
    STORE_OP(chapter_list, chapter_list);
    STORE_OP(chapter_insert, chapter_insert);
    STORE_OP(chapter_list_untold, chapter_list_untold);
    STORE_OP(chapter_mark_told, chapter_mark_told);
    STORE_OP(bundle_insert, bundle_insert);
};

struct people_ops {
    STORE_OP(collaborator_put, collaborator_put);
    STORE_OP(collaborator_remove, collaborator_remove);
    STORE_OP(collaborator_list, collaborator_list);
    STORE_OP(follower_add, follower_add);
    STORE_OP(follower_remove, follower_remove);
    STORE_OP(audience_list, audience_list);
};

struct notifications_ops {
    STORE_OP(insert, notification_insert);
    STORE_OP(list, notification_list);
    STORE_OP(count_unread, notification_count_unread);
    STORE_OP(mark_read, notification_mark_read);
};

struct desk_ops {
    STORE_OP(autosave_put, autosave_put);
    STORE_OP(autosave_find, autosave_find);
    STORE_OP(autosave_remove, autosave_remove);
    STORE_OP(session_put, session_put);
    STORE_OP(session_find, session_find);
    STORE_OP(session_remove, session_remove);
    STORE_OP(reading_put, reading_put);
    STORE_OP(reading_list, reading_list);
};

struct records_ops {
    STORE_OP(events_insert, events_insert);
    STORE_OP(day_aggregate, day_aggregate);
    STORE_OP(day_list, day_list);
    STORE_OP(job_run_put, job_run_put);
    STORE_OP(job_run_list, job_run_list);
};

struct cleanup_ops {
    STORE_OP(count, cleanup_count);
    STORE_OP(slice, cleanup_slice);
};

/* The first member of an implementation's own struct. */
struct store {
    const struct core_ops *core;
    const struct users_ops *users;
    const struct stories_ops *stories;
    const struct chapters_ops *chapters;
    const struct people_ops *people;
    const struct notifications_ops *notifications;
    const struct desk_ops *desk;
    const struct records_ops *records;
    const struct cleanup_ops *cleanup;
};

/* `path`: of the file. */
SC_MUST_USE sc_err sqlite_store_open(const char *path, struct store **ret_store,
                                     sc_reason *ret_reason);

#endif
