/* Notifications. */
#include "sqlite.h"

#include "base/clock.h"

static bool find_by_key(struct work *w, struct notification *notification, sc__arena *arena)
{
    sqlite3_stmt *row;

    if (!notification->key.ptr)
        return false;
    row = sql(w, "SELECT id, created_ms, read_ms FROM notifications WHERE user_id = ? AND key = ?",
              TEXT(notification->user_id), TEXT(notification->key));
    if (!sql_row(w, row))
        return false;
    notification->id = sql_text(w, row, 0, arena);
    notification->created_ms = sql_number(row, 1);
    notification->read_ms = sql_number(row, 2);
    return true;
}

static void insert_new(struct work *w, struct notification *n, sc__arena *arena)
{
    sql_make_id(w, &n->id, arena);
    if (!n->created_ms)
        n->created_ms = sc__wall_ms();
    sql_run(w,
            "INSERT INTO notifications(id, user_id, type, title, message, action_url, metadata,"
            " key, created_ms, read_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            TEXT(n->id), TEXT(n->user_id), TEXT(n->type), TEXT(n->title), TEXT(n->message),
            TEXT(n->action_url), TEXT(n->metadata), TEXT(n->key), NUMBER(n->created_ms),
            NUMBER(n->read_ms));
    sql_explain(w, SC_ENOTFOUND, SC_ENOTFOUND, "there is no user with the id \"%.*s\"",
                (int)n->user_id.len, n->user_id.ptr);
}

static sc_err insert(struct store *store, struct notification *notification, sc__arena *arena,
                     bool *ret_created, sc_reason *ret_reason)
{
    struct work w;
    bool known;
    sc_err err;

    sql_write(&w, store, ret_reason);
    known = find_by_key(&w, notification, arena);
    if (!known)
        insert_new(&w, notification, arena);
    err = sql_end(&w);
    if (!err && ret_created)
        *ret_created = !known;
    return err;
}

#define COLUMNS "id, user_id, type, title, message, action_url, metadata, key, created_ms, read_ms"

static struct notification read_notification(struct work *w, sqlite3_stmt *row, sc__arena *arena)
{
    return (struct notification){
        .id = sql_text(w, row, 0, arena),
        .user_id = sql_text(w, row, 1, arena),
        .type = sql_text(w, row, 2, arena),
        .title = sql_text(w, row, 3, arena),
        .message = sql_text(w, row, 4, arena),
        .action_url = sql_text(w, row, 5, arena),
        .metadata = sql_text(w, row, 6, arena),
        .key = sql_text(w, row, 7, arena),
        .created_ms = sql_number(row, 8),
        .read_ms = sql_number(row, 9),
    };
}

static sqlite3_stmt *start_list(struct work *w, sc_slice user_id, bool unread_only, int64_t limit,
                                int64_t offset)
{
    if (unread_only)
        return sql(w,
                   "SELECT " COLUMNS " FROM notifications WHERE user_id = ? AND read_ms = 0"
                   " ORDER BY seq DESC LIMIT ? OFFSET ?",
                   TEXT(user_id), NUMBER(limit), NUMBER(offset));
    return sql(w,
               "SELECT " COLUMNS " FROM notifications WHERE user_id = ?"
               " ORDER BY seq DESC LIMIT ? OFFSET ?",
               TEXT(user_id), NUMBER(limit), NUMBER(offset));
}

static sc_err list(struct store *store, sc_slice user_id, bool unread_only, int64_t limit,
                   int64_t offset, sc__arena *arena, struct notifications *ret_notifications,
                   sc_reason *ret_reason)
{
    struct notifications list = {NULL, 0};
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = start_list(&w, user_id, unread_only, limit, offset);
    while (sql_row(&w, row)) {
        list.items = sql_list_grow(&w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = read_notification(&w, row, arena);
    }
    err = sql_end(&w);
    if (!err)
        *ret_notifications = list;
    return err;
}

static sc_err count_unread(struct store *store, sc_slice user_id, int64_t *ret_count,
                           sc_reason *ret_reason)
{
    sqlite3_stmt *row;
    int64_t count = 0;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w, "SELECT count(*) FROM notifications WHERE user_id = ? AND read_ms = 0",
              TEXT(user_id));
    if (sql_row(&w, row))
        count = sql_number(row, 0);
    err = sql_end(&w);
    if (!err)
        *ret_count = count;
    return err;
}

static int64_t mark_one(struct work *w, sc_slice user_id, sc_slice id, int64_t read_ms)
{
    sqlite3_stmt *row =
        sql(w, "SELECT 1 FROM notifications WHERE user_id = ? AND id = ?", TEXT(user_id), TEXT(id));

    if (!sql_row(w, row))
        sql_fail(w, SC_ENOTFOUND, "the user has no notification \"%.*s\"", (int)id.len, id.ptr);
    return sql_run(w, "UPDATE notifications SET read_ms = ? WHERE id = ? AND read_ms = 0",
                   NUMBER(read_ms), TEXT(id));
}

static sc_err mark_read(struct store *store, sc_slice user_id, sc_slice id, int64_t read_ms,
                        int64_t *ret_count, sc_reason *ret_reason)
{
    struct work w;
    int64_t count;
    sc_err err;

    sql_write(&w, store, ret_reason);
    count =
        id.ptr
            ? mark_one(&w, user_id, id, read_ms)
            : sql_run(&w, "UPDATE notifications SET read_ms = ? WHERE user_id = ? AND read_ms = 0",
                      NUMBER(read_ms), TEXT(user_id));
    err = sql_end(&w);
    if (!err && ret_count)
        *ret_count = count;
    return err;
}

const struct notifications_ops sqlite_notifications = {insert, list, count_unread, mark_read};
