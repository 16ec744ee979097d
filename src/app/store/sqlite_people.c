/* Collaborators and followers. */
#include "sqlite.h"

#include "base/clock.h"

void sqlite_collaborator_put(struct work *w, sc_slice story_id, sc_slice user_id, sc_slice role)
{
    sql_run(w,
            "INSERT INTO collaborators VALUES (?, ?, ?, ?)"
            " ON CONFLICT DO UPDATE SET role = excluded.role",
            TEXT(story_id), TEXT(user_id), TEXT(role), NUMBER(sc__wall_ms()));
    sql_explain(w, SC_ENOTFOUND, SC_ENOTFOUND, "there is no such story or user");
}

static sc_err collaborator_put(struct store *store, sc_slice story_id, sc_slice user_id,
                               sc_slice role, sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    sqlite_collaborator_put(&w, story_id, user_id, role);
    return sql_end(&w);
}

static sc_err collaborator_remove(struct store *store, sc_slice story_id, sc_slice user_id,
                                  bool *ret_removed, sc_reason *ret_reason)
{
    struct work w;
    int64_t removed;
    sc_err err;

    sql_write(&w, store, ret_reason);
    removed = sql_run(&w, "DELETE FROM collaborators WHERE story_id = ? AND user_id = ?",
                      TEXT(story_id), TEXT(user_id));
    err = sql_end(&w);
    if (!err && ret_removed)
        *ret_removed = removed > 0;
    return err;
}

static sc_err collaborator_list(struct store *store, sc_slice story_id, sc__arena *arena,
                                struct members *ret_members, sc_reason *ret_reason)
{
    struct members list = {NULL, 0};
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w,
              "SELECT id, clerk_id, name, email, created_ms, updated_ms, role, since_ms"
              " FROM collaborators JOIN users ON users.id = user_id WHERE story_id = ?"
              " ORDER BY since_ms, user_id",
              TEXT(story_id));
    while (sql_row(&w, row)) {
        list.items = sql_list_grow(&w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = (struct member){
            .user = sqlite_user_read(&w, row, arena),
            .role = sql_text(&w, row, 6, arena),
            .since_ms = sql_number(row, 7),
        };
    }
    err = sql_end(&w);
    if (!err)
        *ret_members = list;
    return err;
}

bool sqlite_follower_add(struct work *w, sc_slice story_id, sc_slice user_id)
{
    int64_t added = sql_run(w, "INSERT INTO followers VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
                            TEXT(story_id), TEXT(user_id), NUMBER(sc__wall_ms()));

    sql_explain(w, SC_ENOTFOUND, SC_ENOTFOUND, "there is no such story or user");
    return added > 0;
}

static sc_err follower_add(struct store *store, sc_slice story_id, sc_slice user_id,
                           bool *ret_changed, sc_reason *ret_reason)
{
    struct work w;
    bool added;
    sc_err err;

    sql_write(&w, store, ret_reason);
    added = sqlite_follower_add(&w, story_id, user_id);
    err = sql_end(&w);
    if (!err && ret_changed)
        *ret_changed = added;
    return err;
}

static sc_err follower_remove(struct store *store, sc_slice story_id, sc_slice user_id,
                              bool *ret_changed, sc_reason *ret_reason)
{
    struct work w;
    int64_t removed;
    sc_err err;

    sql_write(&w, store, ret_reason);
    removed = sql_run(&w, "DELETE FROM followers WHERE story_id = ? AND user_id = ?",
                      TEXT(story_id), TEXT(user_id));
    err = sql_end(&w);
    if (!err && ret_changed)
        *ret_changed = removed > 0;
    return err;
}

static sc_err audience_list(struct store *store, sc_slice story_id, sc_slice after_user_id,
                            int64_t limit, sc__arena *arena, struct users *ret_users,
                            sc_reason *ret_reason)
{
    struct users list = {NULL, 0};
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w,
              "WITH audience(user_id) AS ("
              "  SELECT user_id FROM followers WHERE story_id = ?1 AND user_id > ?2"
              "  UNION SELECT user_id FROM collaborators WHERE story_id = ?1 AND user_id > ?2"
              "  UNION SELECT author_id FROM stories WHERE id = ?1 AND author_id > ?2"
              "  ORDER BY 1 LIMIT ?3)"
              "SELECT id, clerk_id, name, email, created_ms, updated_ms"
              " FROM audience JOIN users ON users.id = user_id ORDER BY id",
              TEXT(story_id), TEXT(after_user_id.ptr ? after_user_id : SC_S("")), NUMBER(limit));
    while (sql_row(&w, row)) {
        list.items = sql_list_grow(&w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = sqlite_user_read(&w, row, arena);
    }
    err = sql_end(&w);
    if (!err)
        *ret_users = list;
    return err;
}

const struct people_ops sqlite_people = {collaborator_put, collaborator_remove, collaborator_list,
                                         follower_add,     follower_remove,     audience_list};
