/* Connections to the database file, and pools of them. */
#ifndef APP_STORE_SQLITE_DB_H
#define APP_STORE_SQLITE_DB_H

#include <pthread.h>
#include <sqlite3.h>

#include <storychain/base.h>

enum { STATEMENTS_MAX = 128, POOL_MAX = 8 };

struct sqlite_db {
    sqlite3 *handle;
    struct {
        const char *text; /* the literal, known by its address */
        sqlite3_stmt *stmt;
    } statements[STATEMENTS_MAX];
};

/* Up to `max` connections, opened when first needed. */
struct sqlite_pool {
    const char *path;
    bool reads_only;
    int max;
    pthread_mutex_t mutex;
    pthread_cond_t given;
    struct sqlite_db *idle[POOL_MAX];
    int idle_count, open_count;
};

SC_MUST_USE sc_err sqlite_db_open(const char *path, bool reads_only, struct sqlite_db **ret_db,
                                  sc_reason *ret_reason);
void sqlite_db_close(struct sqlite_db *db);

/* The statement of a literal, prepared on first use. NULL: sqlite3_errmsg() tells why. */
sqlite3_stmt *sqlite_db_statement(struct sqlite_db *db, const char *text);

/* What SQLite's last failure on the connection means: the error, and a sentence in `ret_reason`. */
sc_err sqlite_db_error(sqlite3 *handle, const char *path, sc_reason *ret_reason);

void sqlite_pool_init(struct sqlite_pool *pool, const char *path, bool reads_only, int max);
void sqlite_pool_release(struct sqlite_pool *pool); /* all must have been given back */

/* Waits up to 10 s for a connection. SC_EBUSY then. */
SC_MUST_USE sc_err sqlite_pool_take(struct sqlite_pool *pool, struct sqlite_db **ret_db,
                                    sc_reason *ret_reason);
void sqlite_pool_give(struct sqlite_pool *pool, struct sqlite_db *db);

#endif
