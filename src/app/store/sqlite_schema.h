/* The tables, and how a database of an older version becomes one of this. */
#ifndef APP_STORE_SQLITE_SCHEMA_H
#define APP_STORE_SQLITE_SCHEMA_H

#include <sqlite3.h>

#include <storychain/base.h>

/* Makes the tables in a new file, or adds what is missing since an older version, in one
 * transaction. SC_ESTATE: the file is of a newer version, or of another program. */
SC_MUST_USE sc_err sqlite_schema_update(sqlite3 *handle, const char *path, sc_reason *ret_reason);

#endif
