/* The store on SQLite: what its files share.
 *
 * A pool of connections reads, one connection writes. A function of the store is one `work`: it
 * takes a connection, runs statements on it and gives it back:
 *
 *     struct work w;
 *     sqlite3_stmt *row;
 *
 *     sql_read(&w, store, ret_reason);
 *     row = sql(&w, "SELECT name FROM users WHERE id = ?", TEXT(id));
 *     while (sql_row(&w, row))
 *         …sql_text(&w, row, 0, arena)…
 *     return sql_end(&w);
 *
 * The first failure is kept in `w.err` and later calls do nothing, so that a list of statements
 * reads as one. Statements are prepared once per connection: their text must be a literal. */
#ifndef APP_STORE_SQLITE_H
#define APP_STORE_SQLITE_H

#include <sqlite3.h>

#include "base/arena.h"

#include "ops.h"

struct sqlite_db; /* a connection */

struct work {
    struct store *store;
    struct sqlite_db *db; /* NULL if none was to be had */
    bool writes;
    sc_err err; /* first failure */
    sc_reason *ret_reason;
};

void sql_read(struct work *w, struct store *store, sc_reason *ret_reason);

/* Begins a transaction that writes. */
void sql_write(struct work *w, struct store *store, sc_reason *ret_reason);

/* Commits, or rolls back if anything failed. Gives what failed first. */
SC_MUST_USE sc_err sql_end(struct work *w);

/* The value of a `?`. An absent text is NULL, as in the records. */
struct sql_arg {
    bool is_text;
    sc_slice text;
    int64_t number;
};

#define TEXT(slice) ((struct sql_arg){.is_text = true, .text = (slice)})
#define NUMBER(n) ((struct sql_arg){.number = (n)})

/* Starts a statement with its values, in the order of its `?`. NULL if something failed, now or
 * before. */
#define sql(w, literal, ...)                                                                       \
    sql_start((w), "" literal, (const struct sql_arg[]){__VA_ARGS__},                              \
              sizeof((const struct sql_arg[]){__VA_ARGS__}) / sizeof(struct sql_arg))
sqlite3_stmt *sql_start(struct work *w, const char *text, const struct sql_arg *args, size_t count);

/* The next row; false at the end and on failure. `stmt` may be NULL. */
bool sql_row(struct work *w, sqlite3_stmt *stmt);

/* Runs a statement to its end and gives the number of rows it changed. A key that is there already
 * is SC_EEXIST, a reference to nothing SC_ENOTFOUND. */
#define sql_run(w, literal, ...) sql_finish((w), sql((w), literal, ##__VA_ARGS__))
int64_t sql_finish(struct work *w, sqlite3_stmt *stmt);

/* Columns of the row. Text is copied into the arena; NULL gives an absent text. */
sc_slice sql_text(struct work *w, sqlite3_stmt *row, int column, sc__arena *arena);
int64_t sql_number(sqlite3_stmt *row, int column);

/* Room for one more item of a list that grows in the arena: the list's memory, perhaps elsewhere
 * than before. NULL on failure. */
void *sql_list_grow(struct work *w, sc__arena *arena, void *items, size_t count, size_t item_size);

/* Fails the work, unless it failed before. */
void sql_fail(struct work *w, sc_err err, const char *fmt, ...) SC_PRINTF(3, 4);

/* Says in other words what a failure with `err` means here: "the slug \"x\" is taken". */
void sql_explain(struct work *w, sc_err err, sc_err as, const char *fmt, ...) SC_PRINTF(4, 5);

/* A new id, if there is none yet. */
void sql_make_id(struct work *w, sc_slice *id, sc__arena *arena);

/* The tables of the groups of nouns. */
extern const struct users_ops sqlite_users;
extern const struct stories_ops sqlite_stories;
extern const struct chapters_ops sqlite_chapters;
extern const struct people_ops sqlite_people;
extern const struct notifications_ops sqlite_notifications;
extern const struct desk_ops sqlite_desk;
extern const struct records_ops sqlite_records;
extern const struct cleanup_ops sqlite_cleanup;

/* A user from the columns id, clerk_id, name, email, created_ms, updated_ms, which come first. */
struct user sqlite_user_read(struct work *w, sqlite3_stmt *row, sc__arena *arena);

/* Parts of writes that bundles need too; inside a transaction. */
void sqlite_user_put(struct work *w, struct user *user, sc__arena *arena, bool *ret_created);
void sqlite_story_insert(struct work *w, struct story *story, sc__arena *arena);
void sqlite_collaborator_put(struct work *w, sc_slice story_id, sc_slice user_id, sc_slice role);
bool sqlite_follower_add(struct work *w, sc_slice story_id, sc_slice user_id);

#endif
