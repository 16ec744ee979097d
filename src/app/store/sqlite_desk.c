/* What belongs to one user at work: autosaves, sessions, reading history. */
#include "sqlite.h"

#include "base/clock.h"

static sc_err end_with_changed(struct work *w, int64_t changed, bool *ret_changed)
{
    sc_err err = sql_end(w);

    if (!err && ret_changed)
        *ret_changed = changed > 0;
    return err;
}

static sc_err autosave_put(struct store *store, struct autosave *autosave, sc_reason *ret_reason)
{
    struct work w;

    if (!autosave->saved_ms)
        autosave->saved_ms = sc__wall_ms();
    sql_write(&w, store, ret_reason);
    sql_run(&w,
            "INSERT INTO autosaves VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
            " title = excluded.title, content = excluded.content, saved_ms = excluded.saved_ms",
            TEXT(autosave->user_id), TEXT(autosave->story_id), TEXT(autosave->chapter),
            TEXT(autosave->title), TEXT(autosave->content), NUMBER(autosave->saved_ms));
    sql_explain(&w, SC_ENOTFOUND, SC_ENOTFOUND, "there is no such user or story");
    return sql_end(&w);
}

static sc_err autosave_find(struct store *store, sc_slice user_id, sc_slice story_id,
                            sc_slice chapter, sc__arena *arena, struct autosave **ret_autosave,
                            sc_reason *ret_reason)
{
    struct autosave *autosave = NULL;
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w,
              "SELECT user_id, story_id, chapter, title, content, saved_ms FROM autosaves"
              " WHERE user_id = ? AND story_id = ? AND chapter = ?",
              TEXT(user_id), TEXT(story_id), TEXT(chapter));
    if (sql_row(&w, row)) {
        autosave = sc__arena_alloc(arena, sizeof(*autosave));
        if (autosave)
            *autosave = (struct autosave){
                .user_id = sql_text(&w, row, 0, arena),
                .story_id = sql_text(&w, row, 1, arena),
                .chapter = sql_text(&w, row, 2, arena),
                .title = sql_text(&w, row, 3, arena),
                .content = sql_text(&w, row, 4, arena),
                .saved_ms = sql_number(row, 5),
            };
        else
            sql_fail(&w, SC_ENOMEM, "out of memory");
    }
    err = sql_end(&w);
    if (!err)
        *ret_autosave = autosave;
    return err;
}

static sc_err autosave_remove(struct store *store, sc_slice user_id, sc_slice story_id,
                              sc_slice chapter, bool *ret_removed, sc_reason *ret_reason)
{
    struct work w;
    int64_t removed;

    sql_write(&w, store, ret_reason);
    removed =
        sql_run(&w, "DELETE FROM autosaves WHERE user_id = ? AND story_id = ? AND chapter = ?",
                TEXT(user_id), TEXT(story_id), TEXT(chapter));
    return end_with_changed(&w, removed, ret_removed);
}

static sc_err session_put(struct store *store, struct session *session, sc_reason *ret_reason)
{
    struct work w;

    if (!session->created_ms)
        session->created_ms = sc__wall_ms();
    sql_write(&w, store, ret_reason);
    sql_run(&w,
            "INSERT INTO sessions VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET expires_ms = excluded.expires_ms",
            TEXT(session->id), TEXT(session->user_id), NUMBER(session->created_ms),
            NUMBER(session->expires_ms));
    sql_explain(&w, SC_ENOTFOUND, SC_ENOTFOUND, "there is no user with the id \"%.*s\"",
                (int)session->user_id.len, session->user_id.ptr);
    return sql_end(&w);
}

static sc_err session_find(struct store *store, sc_slice id, int64_t now_ms, sc__arena *arena,
                           struct session **ret_session, sc_reason *ret_reason)
{
    struct session *session = NULL;
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w,
              "SELECT id, user_id, created_ms, expires_ms FROM sessions"
              " WHERE id = ? AND expires_ms > ?",
              TEXT(id), NUMBER(now_ms));
    if (sql_row(&w, row)) {
        session = sc__arena_alloc(arena, sizeof(*session));
        if (session)
            *session = (struct session){
                .id = sql_text(&w, row, 0, arena),
                .user_id = sql_text(&w, row, 1, arena),
                .created_ms = sql_number(row, 2),
                .expires_ms = sql_number(row, 3),
            };
        else
            sql_fail(&w, SC_ENOMEM, "out of memory");
    }
    err = sql_end(&w);
    if (!err)
        *ret_session = session;
    return err;
}

static sc_err session_remove(struct store *store, sc_slice id, bool *ret_removed,
                             sc_reason *ret_reason)
{
    struct work w;
    int64_t removed;

    sql_write(&w, store, ret_reason);
    removed = sql_run(&w, "DELETE FROM sessions WHERE id = ?", TEXT(id));
    return end_with_changed(&w, removed, ret_removed);
}

static sc_err reading_put(struct store *store, sc_slice user_id, sc_slice story_id,
                          sc_slice chapter_slug, int64_t read_ms, sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    if (!sql_run(&w,
                 "INSERT INTO readings SELECT ?, id, story_id, ? FROM chapters"
                 " WHERE story_id = ? AND slug = ?"
                 " ON CONFLICT DO UPDATE SET read_ms = max(read_ms, excluded.read_ms)",
                 TEXT(user_id), NUMBER(read_ms), TEXT(story_id), TEXT(chapter_slug)))
        sql_fail(&w, SC_ENOTFOUND, "the story has no chapter \"%.*s\"", (int)chapter_slug.len,
                 chapter_slug.ptr);
    sql_explain(&w, SC_ENOTFOUND, SC_ENOTFOUND, "there is no such user, or no chapter \"%.*s\"",
                (int)chapter_slug.len, chapter_slug.ptr);
    return sql_end(&w);
}

static sc_err reading_list(struct store *store, sc_slice user_id, sc_slice story_id, int64_t limit,
                           sc__arena *arena, struct readings *ret_readings, sc_reason *ret_reason)
{
    struct readings list = {NULL, 0};
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w,
              "SELECT slug, title, read_ms FROM readings JOIN chapters ON chapters.id = chapter_id"
              " WHERE readings.user_id = ? AND readings.story_id = ?"
              " ORDER BY read_ms DESC, seq DESC LIMIT ?",
              TEXT(user_id), TEXT(story_id), NUMBER(limit));
    while (sql_row(&w, row)) {
        list.items = sql_list_grow(&w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = (struct reading){
            .chapter_slug = sql_text(&w, row, 0, arena),
            .chapter_title = sql_text(&w, row, 1, arena),
            .read_ms = sql_number(row, 2),
        };
    }
    err = sql_end(&w);
    if (!err)
        *ret_readings = list;
    return err;
}

const struct desk_ops sqlite_desk = {autosave_put, autosave_find,  autosave_remove, session_put,
                                     session_find, session_remove, reading_put,     reading_list};
