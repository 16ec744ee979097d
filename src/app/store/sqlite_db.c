#include "sqlite_db.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cond.h"
#include "base/error.h"
#include "base/mem.h"

enum { BUSY_MS = 5000, TAKE_S = 10 };

/* SQLite's errno is that of its last try, which was to open read-only what could not be made. */
static sc_err cannot_open(sqlite3 *handle, const char *path, sc_reason *ret_reason)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX] = ".";

    if (slash)
        snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path + 1), path);
    if (faccessat(AT_FDCWD, folder, F_OK, AT_EACCESS))
        return sc__because(ret_reason, SC_EIO, "%s can't be made: its folder does not exist", path);
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS))
        return sc__because(
            ret_reason, SC_EREADONLY,
            "%s can't be made: its folder is not ours to write, check owner and mode", path);
    return sc__because(ret_reason, SC_EIO, "%s can't be opened: %s", path,
                       strerror(sqlite3_system_errno(handle)));
}

sc_err sqlite_db_error(sqlite3 *handle, const char *path, sc_reason *ret_reason)
{
    int code = handle ? sqlite3_extended_errcode(handle) : SQLITE_NOMEM;
    const char *text = handle ? sqlite3_errmsg(handle) : "out of memory";

    switch (code & 0xff) {
    case SQLITE_FULL:
        return sc__because(ret_reason, SC_EIO,
                           "the disk that holds %s is full; nothing of this change was stored: "
                           "free some space and try again",
                           path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
        return sc__because(ret_reason, SC_EREADONLY,
                           "%s can't be written: check owner and mode of the file and its folder",
                           path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return sc__because(ret_reason, SC_EIO,
                           "%s is damaged or no SQLite database (%s): restore it from a backup, or "
                           "move it away to begin anew",
                           path, text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return sc__because(ret_reason, SC_EBUSY,
                           "another process has held %s for over %d s: try again when it is done",
                           path, BUSY_MS / 1000);
    case SQLITE_CANTOPEN:
        return cannot_open(handle, path, ret_reason);
    case SQLITE_NOMEM:
        return sc__because(ret_reason, SC_ENOMEM, "out of memory while using %s", path);
    case SQLITE_TOOBIG:
        return sc__because(ret_reason, SC_ETOOBIG, "a text is too large for %s", path);
    case SQLITE_CONSTRAINT:
        if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
            return sc__because(ret_reason, SC_EEXIST, "it exists already (%s)", text);
        if (code == SQLITE_CONSTRAINT_FOREIGNKEY)
            return sc__because(ret_reason, SC_ENOTFOUND, "what it belongs to does not exist");
        return sc__because(ret_reason, SC_EINVAL, "the data is not complete: %s", text);
    default:
        return sc__because(ret_reason, SC_EIO, "%s: %s", path, text);
    }
}

/* Changing to WAL needs the file alone for a moment and, unlike other statements, may be refused
 * without waiting when two processes open a new file at once. */
static int set_wal(sqlite3 *handle)
{
    int code, waited_ms = 0;

    for (;;) {
        code = sqlite3_exec(handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
        if (code != SQLITE_BUSY || waited_ms >= BUSY_MS)
            return code;
        waited_ms += sqlite3_sleep(20);
    }
}

static int prepare_connection(struct sqlite_db *db, bool reads_only)
{
    int code;

    sqlite3_extended_result_codes(db->handle, 1);
    sqlite3_busy_timeout(db->handle, BUSY_MS);
    code = set_wal(db->handle);
    if (code)
        return code;
    return sqlite3_exec(db->handle,
                        reads_only ? "PRAGMA query_only = 1"
                                   : "PRAGMA foreign_keys = 1; PRAGMA synchronous = FULL",
                        NULL, NULL, NULL);
}

sc_err sqlite_db_open(const char *path, bool reads_only, struct sqlite_db **ret_db,
                      sc_reason *ret_reason)
{
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX;
    struct sqlite_db *db = sc__calloc(1, sizeof(*db));
    sc_err err = SC_OK;

    if (!db)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    if (sqlite3_open_v2(path, &db->handle, flags | (reads_only ? 0 : SQLITE_OPEN_CREATE), NULL) ||
        prepare_connection(db, reads_only))
        err = sqlite_db_error(db->handle, path, ret_reason);
    else if (!reads_only && sqlite3_db_readonly(db->handle, "main") == 1)
        err = sc__because(ret_reason, SC_EREADONLY,
                          "%s can't be written: check owner and mode of the file and its folder",
                          path);
    if (err) {
        sqlite_db_close(db);
        return err;
    }
    *ret_db = db;
    return SC_OK;
}

void sqlite_db_close(struct sqlite_db *db)
{
    if (!db)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        sqlite3_finalize(db->statements[i].stmt);
    sqlite3_close(db->handle);
    sc_free(db);
}

sqlite3_stmt *sqlite_db_statement(struct sqlite_db *db, const char *text)
{
    size_t at = ((uintptr_t)text >> 4) % STATEMENTS_MAX;

    for (size_t i = 0; i < STATEMENTS_MAX; i++, at = (at + 1) % STATEMENTS_MAX) {
        if (db->statements[at].text == text)
            return db->statements[at].stmt;
        if (db->statements[at].text)
            continue;
        if (sqlite3_prepare_v3(db->handle, text, -1, SQLITE_PREPARE_PERSISTENT,
                               &db->statements[at].stmt, NULL))
            return NULL;
        db->statements[at].text = text;
        return db->statements[at].stmt;
    }
    return NULL; /* more literals than STATEMENTS_MAX: a test of the whole store would meet it */
}

void sqlite_pool_init(struct sqlite_pool *pool, const char *path, bool reads_only, int max)
{
    *pool = (struct sqlite_pool){.path = path, .reads_only = reads_only, .max = max};
    pthread_mutex_init(&pool->mutex, NULL);
    sc__cond_init(&pool->given);
}

void sqlite_pool_release(struct sqlite_pool *pool)
{
    while (pool->idle_count)
        sqlite_db_close(pool->idle[--pool->idle_count]);
    pthread_cond_destroy(&pool->given);
    pthread_mutex_destroy(&pool->mutex);
}

/* With the mutex held: an idle connection, or NULL and the right to open one, or SC_EBUSY. */
static sc_err wait_for_turn(struct sqlite_pool *pool, struct sqlite_db **ret_db)
{
    const struct timespec deadline = sc__cond_after(TAKE_S * 1000);

    while (!pool->idle_count && pool->open_count == pool->max)
        if (pthread_cond_timedwait(&pool->given, &pool->mutex, &deadline) == ETIMEDOUT)
            return SC_EBUSY;
    *ret_db = NULL;
    if (pool->idle_count)
        *ret_db = pool->idle[--pool->idle_count];
    else
        pool->open_count++;
    return SC_OK;
}

sc_err sqlite_pool_take(struct sqlite_pool *pool, struct sqlite_db **ret_db, sc_reason *ret_reason)
{
    struct sqlite_db *db;
    sc_err err;

    pthread_mutex_lock(&pool->mutex);
    err = wait_for_turn(pool, &db);
    pthread_mutex_unlock(&pool->mutex);
    if (err)
        return sc__because(ret_reason, err, "%s was busy for over %d s: try again later",
                           pool->path, TAKE_S);
    if (!db)
        err = sqlite_db_open(pool->path, pool->reads_only, &db, ret_reason);
    if (err) {
        pthread_mutex_lock(&pool->mutex);
        pool->open_count--;
        pthread_cond_signal(&pool->given);
        pthread_mutex_unlock(&pool->mutex);
        return err;
    }
    *ret_db = db;
    return SC_OK;
}

void sqlite_pool_give(struct sqlite_pool *pool, struct sqlite_db *db)
{
    pthread_mutex_lock(&pool->mutex);
    pool->idle[pool->idle_count++] = db;
    pthread_cond_signal(&pool->given);
    pthread_mutex_unlock(&pool->mutex);
}
