/* The store on SQLite: opening, and running statements. */
#include "sqlite.h"

#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/rand.h"

#include "sqlite_db.h"
#include "sqlite_schema.h"

struct sqlite_store {
    struct store store;
    char *path;
    char *where;
    struct sqlite_pool readers;
    struct sqlite_pool writer; /* one connection: its pool is the queue of those that write */
};

static struct sqlite_store *self_of(struct store *store)
{
    return (struct sqlite_store *)store;
}

static struct sqlite_pool *pool_of(struct work *w)
{
    return w->writes ? &self_of(w->store)->writer : &self_of(w->store)->readers;
}

static void fail_by_sqlite(struct work *w)
{
    if (!w->err)
        w->err = sqlite_db_error(w->db->handle, self_of(w->store)->path, w->ret_reason);
}

void sql_fail(struct work *w, sc_err err, const char *fmt, ...)
{
    va_list args;

    if (w->err)
        return;
    w->err = err;
    if (!w->ret_reason)
        return;
    va_start(args, fmt);
    vsnprintf(w->ret_reason->text, sizeof(w->ret_reason->text), fmt, args);
    va_end(args);
}

void sql_explain(struct work *w, sc_err err, sc_err as, const char *fmt, ...)
{
    va_list args;

    if (w->err != err)
        return;
    w->err = as;
    if (!w->ret_reason)
        return;
    va_start(args, fmt);
    vsnprintf(w->ret_reason->text, sizeof(w->ret_reason->text), fmt, args);
    va_end(args);
}

void sql_read(struct work *w, struct store *store, sc_reason *ret_reason)
{
    *w = (struct work){.store = store, .ret_reason = ret_reason};
    w->err = sqlite_pool_take(pool_of(w), &w->db, ret_reason);
}

void sql_write(struct work *w, struct store *store, sc_reason *ret_reason)
{
    *w = (struct work){.store = store, .ret_reason = ret_reason, .writes = true};
    w->err = sqlite_pool_take(pool_of(w), &w->db, ret_reason);
    sql_run(w, "BEGIN IMMEDIATE");
}

/* Statements that were left in the middle would keep the transaction open. */
static void reset_statements(sqlite3 *handle)
{
    sqlite3_stmt *stmt = NULL;

    while ((stmt = sqlite3_next_stmt(handle, stmt)))
        if (sqlite3_stmt_busy(stmt))
            sqlite3_reset(stmt);
}

sc_err sql_end(struct work *w)
{
    if (!w->db)
        return w->err;
    reset_statements(w->db->handle);
    if (w->writes) {
        sql_run(w, "COMMIT");
        if (w->err && !sqlite3_get_autocommit(w->db->handle))
            sqlite3_exec(w->db->handle, "ROLLBACK", NULL, NULL, NULL);
    }
    sqlite_pool_give(pool_of(w), w->db);
    return w->err;
}

static int bind(sqlite3_stmt *stmt, int at, const struct sql_arg *arg)
{
    if (!arg->is_text)
        return sqlite3_bind_int64(stmt, at, arg->number);
    if (!arg->text.ptr)
        return sqlite3_bind_null(stmt, at);
    return sqlite3_bind_text64(stmt, at, arg->text.ptr, arg->text.len, SQLITE_STATIC, SQLITE_UTF8);
}

sqlite3_stmt *sql_start(struct work *w, const char *text, const struct sql_arg *args, size_t count)
{
    sqlite3_stmt *stmt = w->err ? NULL : sqlite_db_statement(w->db, text);

    if (w->err)
        return NULL;
    if (!stmt) {
        fail_by_sqlite(w);
        return NULL;
    }
    sqlite3_reset(stmt);
    for (size_t i = 0; i < count; i++)
        if (bind(stmt, (int)i + 1, &args[i])) {
            fail_by_sqlite(w);
            return NULL;
        }
    return stmt;
}

bool sql_row(struct work *w, sqlite3_stmt *stmt)
{
    int code;

    if (!stmt || w->err)
        return false;
    code = sqlite3_step(stmt);
    if (code == SQLITE_ROW)
        return true;
    if (code != SQLITE_DONE)
        fail_by_sqlite(w);
    sqlite3_reset(stmt);
    return false;
}

int64_t sql_finish(struct work *w, sqlite3_stmt *stmt)
{
    while (sql_row(w, stmt))
        ;
    return w->err ? 0 : sqlite3_changes64(w->db->handle);
}

sc_slice sql_text(struct work *w, sqlite3_stmt *row, int column, sc__arena *arena)
{
    sc_slice text = {(const char *)sqlite3_column_text(row, column), 0};
    char *copy;

    if (!text.ptr)
        return text;
    text.len = (size_t)sqlite3_column_bytes(row, column);
    copy = sc__arena_dup(arena, text);
    if (!copy) {
        sql_fail(w, SC_ETOOBIG, "the answer is larger than its limit of %zu bytes", arena->max);
        return (sc_slice){NULL, 0};
    }
    return (sc_slice){copy, text.len};
}

int64_t sql_number(sqlite3_stmt *row, int column)
{
    return sqlite3_column_int64(row, column);
}

void *sql_list_grow(struct work *w, sc__arena *arena, void *items, size_t count, size_t item_size)
{
    enum { FIRST = 8 };
    bool full = count == 0 || (count >= FIRST && (count & (count - 1)) == 0);
    void *larger;

    if (!full)
        return items;
    larger = sc__arena_alloc(arena, (count ? count * 2 : FIRST) * item_size);
    if (!larger)
        sql_fail(w, SC_ETOOBIG, "the answer is larger than its limit of %zu bytes", arena->max);
    else if (count)
        memcpy(larger, items, count * item_size);
    return larger;
}

/* As long as MongoDB's ids, whose form people know. */
void sql_make_id(struct work *w, sc_slice *id, sc__arena *arena)
{
    enum { ID_LEN = 24 };
    char token[SC__TOKEN_LEN + 1];
    char *copy;

    if (id->len || w->err)
        return;
    sc__rand_token(token);
    copy = sc__arena_dup(arena, (sc_slice){token, ID_LEN});
    if (!copy)
        sql_fail(w, SC_ENOMEM, "out of memory");
    else
        *id = (sc_slice){copy, ID_LEN};
}

static void close_store(struct store *store)
{
    struct sqlite_store *self = self_of(store);

    sqlite_pool_release(&self->readers);
    sqlite_pool_release(&self->writer);
    sc_free(self->path);
    sc_free(self->where);
    sc_free(self);
}

static const char *where(const struct store *store)
{
    return ((const struct sqlite_store *)store)->where;
}

static sc_err check(struct store *store, sc_reason *ret_reason)
{
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    sql_run(&w, "SELECT 1 FROM users LIMIT 1");
    err = sql_end(&w);
    if (err)
        return err;
    sql_write(&w, store, ret_reason);
    return sql_end(&w);
}

static const struct core_ops core = {close_store, where, check};

static struct sqlite_store *new_store(const char *path)
{
    static const char kind[] = "SQLite ";
    struct sqlite_store *self = sc__calloc(1, sizeof(*self));
    size_t where_size;

    if (!self)
        return NULL;
    self->store = (struct store){
        .core = &core,
        .users = &sqlite_users,
        .stories = &sqlite_stories,
        .chapters = &sqlite_chapters,
        .people = &sqlite_people,
        .notifications = &sqlite_notifications,
        .desk = &sqlite_desk,
        .records = &sqlite_records,
        .cleanup = &sqlite_cleanup,
    };
    self->path = sc__strdup(path);
    where_size = sizeof(kind) + strlen(path);
    self->where = sc__malloc(where_size);
    if (self->where)
        snprintf(self->where, where_size, "%s%s", kind, path);
    sqlite_pool_init(&self->readers, self->path, true, POOL_MAX);
    sqlite_pool_init(&self->writer, self->path, false, 1);
    if (self->path && self->where)
        return self;
    close_store(&self->store);
    return NULL;
}

sc_err sqlite_store_open(const char *path, struct store **ret_store, sc_reason *ret_reason)
{
    struct sqlite_store *self = new_store(path);
    struct sqlite_db *db;
    sc_err err;

    if (!self)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = sqlite_pool_take(&self->writer, &db, ret_reason);
    if (!err) {
        err = sqlite_schema_update(db->handle, path, ret_reason);
        sqlite_pool_give(&self->writer, db);
    }
    if (err) {
        close_store(&self->store);
        return err;
    }
    *ret_store = &self->store;
    return SC_OK;
}
