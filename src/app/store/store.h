/* Where StoryChain's data lives: users, stories and what belongs to them.
 *
 * One narrow interface with one implementation per database: SQLite (sqlite_*.c) now, MongoDB as
 * the second. Which one is decided by the URL at store_open(). Nothing outside this folder knows.
 *
 *   - Every function may be called from any thread. Reads run side by side, writes one after the
 *     other; each write is one transaction: all of it or nothing.
 *   - Results are allocated in the caller's arena and live as long as that. Texts are UTF-8 and
 *     NUL-terminated; an absent text is {NULL, 0}, an absent date is 0.
 *   - A record that is inserted without `id` or `created_ms` gets them; the id is allocated in
 *     the arena. Ids are made by the store and mean nothing to others.
 *   - `find` gives NULL when there is no such thing; that is no error.
 *   - Beside the errors of each function, all may give: SC_EIO (disk full, file damaged or gone),
 *     SC_EREADONLY (file or folder can't be written), SC_EBUSY (another process held the database
 *     for over 5 s), SC_ENOMEM, SC_ETOOBIG (the arena's ceiling). `ret_reason` (may be NULL) gets
 *     the sentence for a person. */
#ifndef APP_STORE_STORE_H
#define APP_STORE_STORE_H

#include "base/arena.h"

struct store;

/* `url`: sqlite:///absolute/path.db, or sqlite:relative/path.db. Makes the file if there is none,
 * brings an older one up to date. SC_EINVAL: a URL that can't be used. SC_ESTATE: made by a newer
 * StoryChain, or by another program. */
SC_MUST_USE sc_err store_open(const char *url, struct store **ret_store, sc_reason *ret_reason);
void store_close(struct store *store); /* after all calls ended; NULL is fine */

/* What it is, for a person: "SQLite /var/lib/storychain/storychain.db". Valid until close. */
const char *store_where(const struct store *store);

/* SC_OK if a read and the start of a write work now: for readiness checks. */
SC_MUST_USE sc_err store_check(struct store *store, sc_reason *ret_reason);

/* ---- Users ---- */

struct user {
    sc_slice id;
    sc_slice clerk_id; /* who it is to Clerk, the service people sign in with; unique */
    sc_slice name;
    sc_slice email; /* may be absent: then no mail is sent */
    int64_t created_ms, updated_ms;
};

struct users {
    struct user *items;
    size_t count;
};

/* Inserts the user, or updates name and email of the one with that clerk_id. `user` gets the id and
 * dates that are stored. `*ret_created` (may be NULL): whether it is new. */
SC_MUST_USE sc_err store_user_put(struct store *store, struct user *user, sc__arena *arena,
                                  bool *ret_created, sc_reason *ret_reason);
SC_MUST_USE sc_err store_user_find(struct store *store, sc_slice id, sc__arena *arena,
                                   struct user **ret_user, sc_reason *ret_reason);
SC_MUST_USE sc_err store_user_find_by_clerk_id(struct store *store, sc_slice clerk_id,
                                               sc__arena *arena, struct user **ret_user,
                                               sc_reason *ret_reason);

/* ---- Stories ---- */

enum publication { DRAFT, PUBLISHED };

struct story {
    sc_slice id;
    sc_slice slug; /* unique: its name in URLs */
    sc_slice title;
    sc_slice summary; /* may be absent */
    sc_slice tags;    /* JSON array of texts; absent is stored as [] */
    sc_slice author_id;
    sc_slice author_name; /* read only */
    enum publication status;
    bool featured;
    int64_t chapters, followers;      /* how many; read only */
    int64_t created_ms, published_ms; /* published_ms: 0 for a draft */
    int64_t updated_ms;               /* last change of it or its chapters */
    double score;                     /* of store_story_trending(), else 0 */
};

struct stories {
    struct story *items;
    size_t count;
};

SC_MUST_USE sc_err store_story_find(struct store *store, sc_slice slug, sc__arena *arena,
                                    struct story **ret_story, sc_reason *ret_reason);
SC_MUST_USE sc_err store_story_find_by_id(struct store *store, sc_slice id, sc__arena *arena,
                                          struct story **ret_story, sc_reason *ret_reason);

enum story_order {
    BY_UPDATE, /* last changed first: the list "published" */
    BY_BIRTH   /* last published first: the list "new" */
};

struct story_query {
    sc_slice writer_id; /* stories that this user writes in, as author, collaborator or author of a
                           chapter; absent: of all */
    bool featured_only;
    bool drafts_too; /* else published ones alone */
    enum story_order order;
    int64_t limit, offset; /* limit: 1 to 1,000 */
};

SC_MUST_USE sc_err store_story_list(struct store *store, const struct story_query *query,
                                    sc__arena *arena, struct stories *ret_stories,
                                    sc_reason *ret_reason);

/* Published stories whose title, summary, tags or author have all words of `text` (each may be the
 * beginning of a longer word; case and accents don't matter), best match first. */
SC_MUST_USE sc_err store_story_search(struct store *store, sc_slice text, int64_t limit,
                                      sc__arena *arena, struct stories *ret_stories,
                                      sc_reason *ret_reason);

/* Published stories by what happened between `now_ms - window_ms` and `now_ms`, best first: a
 * reader of a chapter counts 1, a new chapter 2, a new follower 3, each less the older it is,
 * down to 0. */
SC_MUST_USE sc_err store_story_trending(struct store *store, int64_t now_ms, int64_t window_ms,
                                        int64_t limit, sc__arena *arena,
                                        struct stories *ret_stories, sc_reason *ret_reason);

/* SC_EEXIST: the slug is taken. SC_EINVAL: there is no such author. */
SC_MUST_USE sc_err store_story_insert(struct store *store, struct story *story, sc__arena *arena,
                                      sc_reason *ret_reason);

/* Stores title, summary, tags, status and featured of the story with this id; published_ms is
 * set when a draft becomes published. SC_ENOTFOUND. */
SC_MUST_USE sc_err store_story_update(struct store *store, struct story *story,
                                      sc_reason *ret_reason);

/* ---- Chapters: a tree per story; what is not published yet is an autosave ---- */

struct chapter {
    sc_slice id;
    sc_slice story_id;
    sc_slice slug; /* unique in its story */
    sc_slice title;
    sc_slice content;     /* Markdown; absent in store_chapter_list() */
    sc_slice parent_slug; /* absent: it begins the story */
    sc_slice author_id;
    sc_slice author_name; /* read only */
    int64_t position;     /* among the chapters with the same parent, from 0; read only */
    int64_t words;        /* in content; read only */
    int64_t created_ms, updated_ms;
    bool untold; /* its story's people are still to be told of it */
};

struct chapters {
    struct chapter *items;
    size_t count;
};

SC_MUST_USE sc_err store_chapter_find(struct store *store, sc_slice story_id, sc_slice slug,
                                      sc__arena *arena, struct chapter **ret_chapter,
                                      sc_reason *ret_reason);

/* All chapters, parents before children, siblings by position; without content. */
SC_MUST_USE sc_err store_chapter_list(struct store *store, sc_slice story_id, sc__arena *arena,
                                      struct chapters *ret_chapters, sc_reason *ret_reason);

/* Adds the last child of its parent. SC_ENOTFOUND: no such story. SC_EPARENT: that story has no
 * chapter with `parent_slug`. SC_EEXIST: the story has a chapter with that slug. SC_EINVAL:
 * there is no such author. */
SC_MUST_USE sc_err store_chapter_insert(struct store *store, struct chapter *chapter,
                                        sc__arena *arena, sc_reason *ret_reason);

/* Chapters that were inserted as `untold` and not marked since, the oldest first; without
 * content. What tells of a chapter may fail or be killed half way: this says what is left to do. */
SC_MUST_USE sc_err store_chapter_list_untold(struct store *store, int64_t limit, sc__arena *arena,
                                             struct chapters *ret_chapters, sc_reason *ret_reason);
SC_MUST_USE sc_err store_chapter_mark_told(struct store *store, sc_slice id, sc_reason *ret_reason);

/* ---- A whole story at once: what an import stores ---- */

struct member {
    struct user user;
    sc_slice role; /* "author", "editor", …; absent for followers */
    int64_t since_ms;
};

struct members {
    struct member *items;
    size_t count;
};

struct story_bundle {
    struct user author; /* put by clerk_id, as all users here */
    struct story story;
    struct chapters chapters; /* parents before children; authors: the story's */
    struct members collaborators, followers;
};

typedef void (*store_progress)(void *user, size_t done, size_t total);

/* Stores all of it in one transaction, or nothing. `progress` (may be NULL) counts chapters; it
 * must not call the store. Errors as of the single inserts. */
SC_MUST_USE sc_err store_bundle_insert(struct store *store, struct story_bundle *bundle,
                                       store_progress progress, void *user, sc__arena *arena,
                                       sc_reason *ret_reason);

/* ---- Collaborators and followers of a story ---- */

/* Adds, or changes the role. SC_ENOTFOUND: no such story or user. */
SC_MUST_USE sc_err store_collaborator_put(struct store *store, sc_slice story_id, sc_slice user_id,
                                          sc_slice role, sc_reason *ret_reason);
SC_MUST_USE sc_err store_collaborator_remove(struct store *store, sc_slice story_id,
                                             sc_slice user_id, bool *ret_removed,
                                             sc_reason *ret_reason);
SC_MUST_USE sc_err store_collaborator_list(struct store *store, sc_slice story_id, sc__arena *arena,
                                           struct members *ret_members, sc_reason *ret_reason);

/* `*ret_changed` (may be NULL): false if it was so already. SC_ENOTFOUND as above. */
SC_MUST_USE sc_err store_follower_add(struct store *store, sc_slice story_id, sc_slice user_id,
                                      bool *ret_changed, sc_reason *ret_reason);
SC_MUST_USE sc_err store_follower_remove(struct store *store, sc_slice story_id, sc_slice user_id,
                                         bool *ret_changed, sc_reason *ret_reason);

/* Whom to tell about news of a story: its author, collaborators and followers, each once, by
 * user id, from the one after `after_user_id` (absent: from the first), at most `limit`. */
SC_MUST_USE sc_err store_audience_list(struct store *store, sc_slice story_id,
                                       sc_slice after_user_id, int64_t limit, sc__arena *arena,
                                       struct users *ret_users, sc_reason *ret_reason);

/* ---- Notifications ---- */

struct notification {
    sc_slice id;
    sc_slice user_id;
    sc_slice type; /* "chapter.published", … */
    sc_slice title;
    sc_slice message;
    sc_slice action_url; /* may be absent */
    sc_slice metadata;   /* JSON object; may be absent */
    /* Makes a repeated insert harmless: two of a user with the same key are one. Absent: never the
     * same. */
    sc_slice key;
    int64_t created_ms;
    int64_t read_ms; /* 0: unread */
};

struct notifications {
    struct notification *items;
    size_t count;
};

/* `*ret_created` (may be NULL): false if one with that key was there; `notification->id` is then
 * its id, and nothing is stored. SC_ENOTFOUND: no such user. */
SC_MUST_USE sc_err store_notification_insert(struct store *store, struct notification *notification,
                                             sc__arena *arena, bool *ret_created,
                                             sc_reason *ret_reason);
/* Newest first. */
SC_MUST_USE sc_err store_notification_list(struct store *store, sc_slice user_id, bool unread_only,
                                           int64_t limit, int64_t offset, sc__arena *arena,
                                           struct notifications *ret_notifications,
                                           sc_reason *ret_reason);
SC_MUST_USE sc_err store_notification_count_unread(struct store *store, sc_slice user_id,
                                                   int64_t *ret_count, sc_reason *ret_reason);
/* `id` absent: all of the user. `*ret_count` (may be NULL): how many were unread until now.
 * SC_ENOTFOUND: the user has no notification with that id. */
SC_MUST_USE sc_err store_notification_mark_read(struct store *store, sc_slice user_id, sc_slice id,
                                                int64_t read_ms, int64_t *ret_count,
                                                sc_reason *ret_reason);

/* ---- Autosaves: work not published yet, one per user, story, chapter ---- */

struct autosave {
    sc_slice user_id;
    sc_slice story_id;
    sc_slice chapter; /* slug, or any name the editor gives to a new chapter */
    sc_slice title;
    sc_slice content;
    int64_t saved_ms;
};

/* Replaces the one before; saved_ms 0: now. SC_ENOTFOUND: no such user or story. */
SC_MUST_USE sc_err store_autosave_put(struct store *store, struct autosave *autosave,
                                      sc_reason *ret_reason);
SC_MUST_USE sc_err store_autosave_find(struct store *store, sc_slice user_id, sc_slice story_id,
                                       sc_slice chapter, sc__arena *arena,
                                       struct autosave **ret_autosave, sc_reason *ret_reason);
SC_MUST_USE sc_err store_autosave_remove(struct store *store, sc_slice user_id, sc_slice story_id,
                                         sc_slice chapter, bool *ret_removed,
                                         sc_reason *ret_reason);

/* ---- Sessions ---- */

struct session {
    sc_slice id; /* the caller's */
    sc_slice user_id;
    int64_t created_ms, expires_ms;
};

/* Adds, or moves expires_ms. SC_ENOTFOUND: no such user. */
SC_MUST_USE sc_err store_session_put(struct store *store, struct session *session,
                                     sc_reason *ret_reason);
/* NULL also when it expired by `now_ms`. */
SC_MUST_USE sc_err store_session_find(struct store *store, sc_slice id, int64_t now_ms,
                                      sc__arena *arena, struct session **ret_session,
                                      sc_reason *ret_reason);
SC_MUST_USE sc_err store_session_remove(struct store *store, sc_slice id, bool *ret_removed,
                                        sc_reason *ret_reason);

/* ---- Reading history: which chapters a user has read, and when last ---- */

struct reading {
    sc_slice chapter_slug;
    sc_slice chapter_title;
    int64_t read_ms;
};

struct readings {
    struct reading *items;
    size_t count;
};

/* SC_ENOTFOUND: no such user, or no such chapter in that story. */
SC_MUST_USE sc_err store_reading_put(struct store *store, sc_slice user_id, sc_slice story_id,
                                     sc_slice chapter_slug, int64_t read_ms, sc_reason *ret_reason);
/* Last read first. */
SC_MUST_USE sc_err store_reading_list(struct store *store, sc_slice user_id, sc_slice story_id,
                                      int64_t limit, sc__arena *arena,
                                      struct readings *ret_readings, sc_reason *ret_reason);

/* ---- Analytics ---- */

struct event {
    sc_slice key;        /* two with the same key are one; absent: never the same */
    sc_slice name;       /* "chapter.read" */
    sc_slice user_id;    /* may be absent; need not be a user's */
    sc_slice properties; /* JSON object; absent is {} */
    int64_t at_ms;
};

/* Stores a batch in one transaction. `*ret_stored` (may be NULL): those that were not there yet. */
SC_MUST_USE sc_err store_events_insert(struct store *store, const struct event *events,
                                       size_t count, size_t *ret_stored, sc_reason *ret_reason);

struct day_stat {
    sc_slice day; /* "2026-11-23", UTC */
    sc_slice
        name; /* an event's, or users.created, stories.published, chapters.published, chapters.read */
    int64_t count;  /* how often */
    int64_t people; /* by how many different users */
};

struct day_stats {
    struct day_stat *items;
    size_t count;
};

/* Computes the figures of the UTC day that has `day_ms` in it and replaces what was stored for it.
 * `*ret_rows` (may be NULL): figures stored. */
SC_MUST_USE sc_err store_day_aggregate(struct store *store, int64_t day_ms, int64_t *ret_rows,
                                       sc_reason *ret_reason);
/* Figures of the days from `from_ms` to `to_ms`, by day and name. */
SC_MUST_USE sc_err store_day_list(struct store *store, int64_t from_ms, int64_t to_ms,
                                  sc__arena *arena, struct day_stats *ret_stats,
                                  sc_reason *ret_reason);

/* ---- Log of scheduled jobs: what ran when, and what came of it ---- */

struct job_run {
    sc_slice id;  /* of the queue's job; with `job` unique: a repeated run replaces its line */
    sc_slice job; /* "cleanup-old-autosaves" */
    bool ok;
    sc_slice result; /* JSON, or the reason of the failure */
    int64_t started_ms, finished_ms;
};

struct job_runs {
    struct job_run *items;
    size_t count;
};

SC_MUST_USE sc_err store_job_run_put(struct store *store, const struct job_run *run,
                                     sc_reason *ret_reason);
/* `job` absent: of all jobs. Newest first. */
SC_MUST_USE sc_err store_job_run_list(struct store *store, sc_slice job, int64_t limit,
                                      sc__arena *arena, struct job_runs *ret_runs,
                                      sc_reason *ret_reason);

/* ---- Cleanup ---- */

enum cleanup_kind {
    CLEAN_AUTOSAVES,     /* saved before the date */
    CLEAN_SESSIONS,      /* expired before it */
    CLEAN_NOTIFICATIONS, /* read ones that were made before it */
    CLEAN_LOGS,          /* job runs that finished before it */
    CLEANUP_KINDS
};

/* How many a cleanup would delete now. */
SC_MUST_USE sc_err store_cleanup_count(struct store *store, enum cleanup_kind kind,
                                       int64_t before_ms, int64_t *ret_count,
                                       sc_reason *ret_reason);
/* Deletes at most `limit`, so that no write waits long for it: call again until `*ret_deleted` is
 * less than `limit`. */
SC_MUST_USE sc_err store_cleanup_slice(struct store *store, enum cleanup_kind kind,
                                       int64_t before_ms, int64_t limit, int64_t *ret_deleted,
                                       sc_reason *ret_reason);

#endif
