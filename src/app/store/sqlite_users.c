/* Users. */
#include "sqlite.h"

#include "base/clock.h"

struct user sqlite_user_read(struct work *w, sqlite3_stmt *row, sc__arena *arena)
{
    return (struct user){
        .id = sql_text(w, row, 0, arena),
        .clerk_id = sql_text(w, row, 1, arena),
        .name = sql_text(w, row, 2, arena),
        .email = sql_text(w, row, 3, arena),
        .created_ms = sql_number(row, 4),
        .updated_ms = sql_number(row, 5),
    };
}

static struct user *read_user(struct work *w, sqlite3_stmt *row, sc__arena *arena)
{
    struct user *user = sc__arena_alloc(arena, sizeof(*user));

    if (user)
        *user = sqlite_user_read(w, row, arena);
    else
        sql_fail(w, SC_ENOMEM, "out of memory");
    return user;
}

static sc_err find(struct store *store, sc_slice id, sc__arena *arena, struct user **ret_user,
                   sc_reason *ret_reason)
{
    struct user *user = NULL;
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row =
        sql(&w, "SELECT id, clerk_id, name, email, created_ms, updated_ms FROM users WHERE id = ?",
            TEXT(id));
    if (sql_row(&w, row))
        user = read_user(&w, row, arena);
    err = sql_end(&w);
    if (!err)
        *ret_user = user;
    return err;
}

static struct user *find_by_clerk_id_in(struct work *w, sc_slice clerk_id, sc__arena *arena)
{
    sqlite3_stmt *row = sql(w,
                            "SELECT id, clerk_id, name, email, created_ms, updated_ms"
                            " FROM users WHERE clerk_id = ?",
                            TEXT(clerk_id));

    return sql_row(w, row) ? read_user(w, row, arena) : NULL;
}

static sc_err find_by_clerk_id(struct store *store, sc_slice clerk_id, sc__arena *arena,
                               struct user **ret_user, sc_reason *ret_reason)
{
    struct user *user;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    user = find_by_clerk_id_in(&w, clerk_id, arena);
    err = sql_end(&w);
    if (!err)
        *ret_user = user;
    return err;
}

static void update(struct work *w, struct user *user, const struct user *old)
{
    user->id = old->id;
    user->created_ms = old->created_ms;
    user->updated_ms = old->updated_ms;
    if (!user->name.ptr)
        user->name = old->name;
    if (!user->email.ptr)
        user->email = old->email;
    if (sc_slice_eq(user->name, old->name) && sc_slice_eq(user->email, old->email))
        return;
    user->updated_ms = sc__wall_ms();
    sql_run(w, "UPDATE users SET name = ?, email = ?, updated_ms = ? WHERE id = ?",
            TEXT(user->name), TEXT(user->email), NUMBER(user->updated_ms), TEXT(user->id));
}

void sqlite_user_put(struct work *w, struct user *user, sc__arena *arena, bool *ret_created)
{
    const struct user *old = find_by_clerk_id_in(w, user->clerk_id, arena);

    if (ret_created)
        *ret_created = !old;
    if (old) {
        update(w, user, old);
        return;
    }
    sql_make_id(w, &user->id, arena);
    if (!user->created_ms)
        user->created_ms = sc__wall_ms();
    user->updated_ms = user->created_ms;
    sql_run(w, "INSERT INTO users VALUES (?, ?, ?, ?, ?, ?)", TEXT(user->id), TEXT(user->clerk_id),
            TEXT(user->name), TEXT(user->email), NUMBER(user->created_ms),
            NUMBER(user->updated_ms));
}

static sc_err put(struct store *store, struct user *user, sc__arena *arena, bool *ret_created,
                  sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    sqlite_user_put(&w, user, arena, ret_created);
    return sql_end(&w);
}

const struct users_ops sqlite_users = {put, find, find_by_clerk_id};
