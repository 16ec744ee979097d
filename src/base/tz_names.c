#include "tz_names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "zone_copies.h"

enum { PATH_BYTES = 512, DEPTH_MAX = 3, NEAR = 3, NEAREST = 3 };

const char *sc__tz_folder(void)
{
    const char *folder = getenv("TZDIR");

    return folder && *folder ? folder : "/usr/share/zoneinfo";
}

bool sc__tz_has_folder(void)
{
    return access(sc__tz_folder(), R_OK | X_OK) == 0;
}

/* False for the entries of the folder that are not zones: other flavours of them, lists, links to the
 * machine's own zone. */
static bool is_zone_entry(sc_slice name)
{
    static const char *const others[] = {"posix",     "right",       "posixrules",
                                         "localtime", "leapseconds", "Factory"};

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (name.len == strlen(others[i]) && strncasecmp(name.ptr, others[i], name.len) == 0)
            return false;
    return name.len && name.ptr[0] != '+' && !memchr(name.ptr, '.', name.len);
}

static bool is_name_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '+' || c == '-' || c == '/';
}

static bool is_name(sc_slice name)
{
    if (!name.len || name.len > SC__ZONE_NAME_MAX || name.ptr[0] == '/' ||
        name.ptr[name.len - 1] == '/')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!is_name_char(name.ptr[i]) || (name.ptr[i] == '/' && name.ptr[i + 1] == '/'))
            return false;
    return true;
}

/* Puts the folder's own spelling of `part` to `out`. */
static bool find_entry(const char *folder, sc_slice part, char *out)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;
    bool found = false;

    while (dir && !found && (entry = readdir(dir))) {
        if (strlen(entry->d_name) != part.len ||
            strncasecmp(entry->d_name, part.ptr, part.len) != 0 ||
            !is_zone_entry(sc_slice_of(entry->d_name)))
            continue;
        memcpy(out, entry->d_name, part.len);
        found = true;
    }
    if (dir)
        closedir(dir);
    return found;
}

static bool has_zone_parts(sc_slice name)
{
    for (size_t at = 0; at < name.len;) {
        const char *slash = memchr(name.ptr + at, '/', name.len - at);
        size_t end = slash ? (size_t)(slash - name.ptr) : name.len;

        if (!is_zone_entry((sc_slice){name.ptr + at, end - at}))
            return false;
        at = end + 1;
    }
    return true;
}

static bool is_file(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

const sc__zone_copy *sc__tz_copy_find(sc_slice name)
{
    for (const sc__zone_copy *copy = SC__ZONE_COPIES; copy->name; copy++)
        if (strlen(copy->name) == name.len && !strncasecmp(copy->name, name.ptr, name.len))
            return copy;
    return NULL;
}

static sc_err find_copy(sc_slice name, char *out)
{
    const sc__zone_copy *copy = sc__tz_copy_find(name);

    if (!copy)
        return SC__ZONE_COPIES[0].name ? SC_ENOTFOUND : SC_EIO;
    memcpy(out, copy->name, name.len + 1);
    return SC_OK;
}

static sc_err find_file(const char *folder, sc_slice name, char *out)
{
    char path[PATH_BYTES], found[SC__ZONE_NAME_MAX + 1] = "";
    size_t at = 0;

    /* As a rule it is spelled as it should be. */
    snprintf(path, sizeof(path), "%s/%.*s", folder, (int)name.len, name.ptr);
    if (has_zone_parts(name) && is_file(path)) {
        memcpy(out, name.ptr, name.len);
        out[name.len] = '\0';
        return SC_OK;
    }
    while (at < name.len) {
        const char *slash = memchr(name.ptr + at, '/', name.len - at);
        size_t end = slash ? (size_t)(slash - name.ptr) : name.len;

        snprintf(path, sizeof(path), "%s/%s", folder, found);
        if (!find_entry(path, (sc_slice){name.ptr + at, end - at}, found + at))
            return SC_ENOTFOUND;
        if (slash)
            found[end] = '/';
        at = end + 1;
    }
    snprintf(path, sizeof(path), "%s/%s", folder, found);
    if (!is_file(path))
        return SC_ENOTFOUND;
    memcpy(out, found, sizeof(found));
    return SC_OK;
}

sc_err sc__tz_name_find(sc_slice name, char ret_name[SC__ZONE_NAME_MAX + 1])
{
    if (!sc__tz_has_folder())
        return find_copy(name, ret_name);
    return is_name(name) ? find_file(sc__tz_folder(), name, ret_name) : SC_ENOTFOUND;
}

/* The nearest names found so far, nearest first. */
struct nearest {
    sc_slice wanted;
    struct {
        int distance;
        char name[SC__ZONE_NAME_MAX + 1];
    } items[NEAREST];
    size_t count;
};

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c == ' ' ? '_' : c;
}

/* Letters to add, drop or change, in any case (Levenshtein). */
static int distance(sc_slice a, sc_slice b)
{
    int row[SC__ZONE_NAME_MAX + 1];

    for (size_t j = 0; j <= b.len; j++)
        row[j] = (int)j;
    for (size_t i = 1; i <= a.len; i++) {
        int diagonal = row[0];

        row[0] = (int)i;
        for (size_t j = 1; j <= b.len; j++) {
            int change = diagonal + (lower(a.ptr[i - 1]) != lower(b.ptr[j - 1]));
            int other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = change < other ? change : other;
        }
    }
    return row[b.len];
}

/* `name` has at most SC__ZONE_NAME_MAX bytes. */
static void consider(struct nearest *n, const char *name)
{
    const char *city = strrchr(name, '/');
    int d = distance(n->wanted, sc_slice_of(name)), limit = (int)n->wanted.len / 3;
    size_t i;

    /* "Berlin" means Europe/Berlin. */
    if (city && !memchr(n->wanted.ptr, '/', n->wanted.len)) {
        int of_city = distance(n->wanted, sc_slice_of(city + 1));

        d = of_city < d ? of_city : d;
    }
    if (d > NEAR || d > limit)
        return;
    for (i = n->count; i > 0 && n->items[i - 1].distance > d; i--)
        if (i < NEAREST)
            n->items[i] = n->items[i - 1];
    if (i == NEAREST)
        return;
    n->items[i].distance = d;
    memcpy(n->items[i].name, name, strlen(name) + 1);
    n->count += n->count < NEAREST;
}

static void walk(struct nearest *n, const char *below, int depth)
{
    char path[PATH_BYTES], name[PATH_BYTES];
    struct dirent *entry;
    struct stat st;
    DIR *dir;

    snprintf(path, sizeof(path), "%s/%s", sc__tz_folder(), below);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        if (!is_zone_entry(sc_slice_of(entry->d_name)) ||
            (size_t)snprintf(name, sizeof(name), "%s%s%s", below, *below ? "/" : "",
                             entry->d_name) > SC__ZONE_NAME_MAX ||
            fstatat(dirfd(dir), entry->d_name, &st, 0))
            continue;
        if (S_ISREG(st.st_mode))
            consider(n, name);
        else if (S_ISDIR(st.st_mode) && depth < DEPTH_MAX)
            walk(n, name, depth + 1);
    }
    if (dir)
        closedir(dir);
}

void sc__tz_name_suggest(sc_slice name, char *out, size_t size)
{
    struct nearest n = {.wanted = name};
    size_t len = 0;

    out[0] = '\0';
    if (!name.len || name.len > SC__ZONE_NAME_MAX)
        return;
    if (sc__tz_has_folder())
        walk(&n, "", 1);
    else
        for (const sc__zone_copy *copy = SC__ZONE_COPIES; copy->name; copy++)
            consider(&n, copy->name);
    for (size_t i = 0; i < n.count && len < size; i++)
        len += (size_t)snprintf(out + len, size - len, "%s%s", i ? ", " : "", n.items[i].name);
}
