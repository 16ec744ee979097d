/* Cleanup: counting and deleting what is old, a slice at a time. */
#include "sqlite.h"

/* What `?1`, the date, makes of a kind's rows. */
#define AUTOSAVES "FROM autosaves WHERE saved_ms < ?1"
#define SESSIONS "FROM sessions WHERE expires_ms < ?1"
#define NOTIFICATIONS "FROM notifications WHERE read_ms > 0 AND created_ms < ?1"
#define LOGS "FROM job_runs WHERE finished_ms < ?1"

static sqlite3_stmt *start_count(struct work *w, enum cleanup_kind kind, int64_t before_ms)
{
    switch (kind) {
    case CLEAN_AUTOSAVES:
        return sql(w, "SELECT count(*) " AUTOSAVES, NUMBER(before_ms));
    case CLEAN_SESSIONS:
        return sql(w, "SELECT count(*) " SESSIONS, NUMBER(before_ms));
    case CLEAN_NOTIFICATIONS:
        return sql(w, "SELECT count(*) " NOTIFICATIONS, NUMBER(before_ms));
    case CLEAN_LOGS:
        return sql(w, "SELECT count(*) " LOGS, NUMBER(before_ms));
    case CLEANUP_KINDS:
        break;
    }
    sql_fail(w, SC_EINVAL, "there is no cleanup of kind %d", (int)kind);
    return NULL;
}

static sqlite3_stmt *start_slice(struct work *w, enum cleanup_kind kind, int64_t before_ms,
                                 int64_t limit)
{
    const struct sql_arg before = NUMBER(before_ms), most = NUMBER(limit);

    switch (kind) {
    case CLEAN_AUTOSAVES:
        return sql(w, "DELETE FROM autosaves WHERE rowid IN (SELECT rowid " AUTOSAVES " LIMIT ?2)",
                   before, most);
    case CLEAN_SESSIONS:
        return sql(w, "DELETE FROM sessions WHERE rowid IN (SELECT rowid " SESSIONS " LIMIT ?2)",
                   before, most);
    case CLEAN_NOTIFICATIONS:
        return sql(w,
                   "DELETE FROM notifications WHERE seq IN (SELECT seq " NOTIFICATIONS " LIMIT ?2)",
                   before, most);
    case CLEAN_LOGS:
        return sql(w, "DELETE FROM job_runs WHERE rowid IN (SELECT rowid " LOGS " LIMIT ?2)",
                   before, most);
    case CLEANUP_KINDS:
        break;
    }
    sql_fail(w, SC_EINVAL, "there is no cleanup of kind %d", (int)kind);
    return NULL;
}

static sc_err count(struct store *store, enum cleanup_kind kind, int64_t before_ms,
                    int64_t *ret_count, sc_reason *ret_reason)
{
    sqlite3_stmt *row;
    int64_t found = 0;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = start_count(&w, kind, before_ms);
    if (sql_row(&w, row))
        found = sql_number(row, 0);
    err = sql_end(&w);
    if (!err)
        *ret_count = found;
    return err;
}

static sc_err slice(struct store *store, enum cleanup_kind kind, int64_t before_ms, int64_t limit,
                    int64_t *ret_deleted, sc_reason *ret_reason)
{
    struct work w;
    int64_t deleted;
    sc_err err;

    sql_write(&w, store, ret_reason);
    deleted = sql_finish(&w, start_slice(&w, kind, before_ms, limit));
    err = sql_end(&w);
    if (!err)
        *ret_deleted = deleted;
    return err;
}

const struct cleanup_ops sqlite_cleanup = {count, slice};
