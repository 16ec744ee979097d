#include "table.h"

#include "base/str.h"
#include "base/utf8.h"

static void put(struct table *t, const char *cell)
{
    if (t->rows == t->cap) {
        size_t cap = t->cap ? t->cap * 2 : 64;
        const char **cells = sc__arena_alloc(t->arena, cap * sizeof(*cells));

        if (!cells)
            return;
        if (t->rows)
            memcpy(cells, t->cells, t->rows * sizeof(*cells));
        t->cells = cells;
        t->cap = cap;
    }
    t->cells[t->rows++] = cell ? cell : "?";
}

void table_init(struct table *t, sc__arena *arena, const char *const *heads)
{
    *t = (struct table){.arena = arena};
    while (heads[t->columns] && t->columns < TABLE_COLUMNS_MAX)
        put(t, heads[t->columns++]);
}

void table_text(struct table *t, sc_slice text)
{
    char *copy = sc__arena_dup(t->arena, text);

    for (size_t i = 0; copy && i < text.len;) {
        size_t width = sc__utf8_width(copy + i, text.len - i);

        if (!width || (unsigned char)copy[i] < 0x20 || copy[i] == 0x7f)
            copy[i] = '?';
        i += width ? width : 1;
    }
    put(t, copy);
}

void table_int(struct table *t, int64_t value)
{
    put(t, sc__arena_printf(t->arena, "%lld", (long long)value));
}

void table_when(struct table *t, int64_t wall_ms, int64_t now_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"d", 86400000}, {"h", 3600000}, {"min", 60000}, {"s", 1000}, {"ms", 1}};
    int64_t away = wall_ms > now_ms ? wall_ms - now_ms : now_ms - wall_ms;
    size_t i = 0;

    if (!wall_ms) {
        put(t, "-");
        return;
    }
    while (i < 4 && away < 2 * units[i].ms)
        i++;
    put(t, sc__arena_printf(t->arena, wall_ms > now_ms ? "in %lld %s" : "%lld %s ago",
                            (long long)(away / units[i].ms), units[i].unit));
}

void print_text(FILE *out, sc_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];

        putc((c < 0x20 && c != '\t' && c != '\n') || c == 0x7f ? '?' : c, out);
    }
    putc('\n', out);
}

static size_t width_of(const char *cell)
{
    size_t width = 0;

    for (; *cell; cell++)
        width += (*cell & 0xc0) != 0x80;
    return width;
}

/* Blanks are owed until something follows them, so that no line ends with any. */
static void print_row(const struct table *t, FILE *out, const char *const *cells,
                      const size_t *widths, const bool *right)
{
    size_t owed = 0;

    for (size_t column = 0; column < t->columns; column++) {
        const char *cell = cells[column] + (cells == t->cells && right[column]);
        size_t pad = widths[column] - width_of(cell);

        if (*cell)
            fprintf(out, "%*s%s", (int)(owed + (right[column] ? pad : 0)), "", cell);
        else
            pad += owed;
        owed = (right[column] && *cell ? 0 : pad) + 2;
    }
    fputc('\n', out);
}

void table_print(const struct table *t, FILE *out, const char *empty)
{
    size_t widths[TABLE_COLUMNS_MAX] = {0};
    bool right[TABLE_COLUMNS_MAX];

    if (t->rows <= t->columns) {
        fprintf(out, "%s\n", empty);
        return;
    }
    for (size_t i = 0; i < t->rows; i++) {
        size_t column = i % t->columns, width = width_of(t->cells[i]);

        if (i < t->columns) {
            right[column] = *t->cells[i] == '>';
            width -= right[column];
        }
        if (width > widths[column])
            widths[column] = width;
    }
    for (size_t i = 0; i + t->columns <= t->rows; i += t->columns)
        print_row(t, out, t->cells + i, widths, right);
}
