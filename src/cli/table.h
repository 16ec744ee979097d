/* Rows for a person: columns as wide as their widest cell, numbers to the right. */
#ifndef CLI_TABLE_H
#define CLI_TABLE_H

#include "base/arena.h"

#include <stdio.h>

enum { TABLE_COLUMNS_MAX = 16 };

struct table {
    sc__arena *arena;
    size_t columns, rows, cap;
    const char **cells; /* row by row; the first row is the head */
};

/* `heads` ends with NULL. A head that starts with '>' puts its column to the right. */
void table_init(struct table *table, sc__arena *arena, const char *const *heads);

/* The next cell of the row; copied. Control bytes are shown as '?', so that no data moves the cursor. */
void table_text(struct table *table, sc_slice text);
void table_int(struct table *table, int64_t value);

/* "12 s ago", "in 3 min", "-" for 0. */
void table_when(struct table *table, int64_t wall_ms, int64_t now_ms);

/* Bytes that other programs wrote, and a newline: control bytes are shown as '?'. */
void print_text(FILE *out, sc_slice text);

/* Prints rows, or `empty` when there are none. */
void table_print(const struct table *table, FILE *out, const char *empty);

#endif
