/* What the tests of the cron engine share: parsing that must succeed, dates, rows of case files. */
#ifndef TESTS_CRON_FIXTURE_H
#define TESTS_CRON_FIXTURE_H

#include <dirent.h>
#include <sys/stat.h>

#include "base/iso8601.h"
#include "base/tz.h"
#include "support/test.h"

static const sc_cron_opts seeded = {.hash_seed = {"nightly", 7}};

static inline sc_cron *parse_with(const char *text, const sc_cron_opts *opts)
{
    sc_cron_error error = {0};
    sc_cron *cron = NULL;

    if (sc_cron_parse(sc_slice_of(text), opts, &cron, &error))
        fail_msg("%s: %s", text, error.text);
    return cron;
}

static inline sc_cron *parse(const char *text)
{
    return parse_with(text, &seeded);
}

static inline sc_zone *zone_named(const char *name)
{
    sc_zone *zone = NULL;
    sc_reason reason = {""};

    if (sc_zone_open(sc_slice_of(name), &zone, &reason))
        fail_msg("%s", reason.text);
    return zone;
}

static inline int64_t date(const char *text)
{
    int64_t ms = 0;
    sc_reason reason = {""};

    if (sc__iso8601_parse(sc_slice_of(text), &ms, &reason))
        fail_msg("%s", reason.text);
    return ms;
}

/* Cuts "a | b | c" in place; gives the number of parts. */
static inline int cut(char *line, char **parts, int max)
{
    int count = 0;

    for (char *p = line; p && count < max; count++) {
        char *bar = strstr(p, " | ");

        parts[count] = p;
        if (bar)
            *bar = '\0';
        p = bar ? bar + 3 : NULL;
    }
    return count;
}

/* INT64_MAX: none. */
static inline int64_t next_of(const sc_cron *cron, const sc_zone *zone, int64_t at)
{
    int64_t next = INT64_MAX;

    return sc_cron_next(cron, zone, at, &next) ? INT64_MAX : next;
}

/* Calls back for every zone of the machine, links included; gives their number. `below` is "" at first. */
static inline int each_zone(const char *below, void (*cb)(const char *name))
{
    char path[512], name[512];
    struct dirent *entry;
    struct stat st;
    int count = 0;
    DIR *dir;

    snprintf(path, sizeof(path), "/usr/share/zoneinfo/%s", below);
    dir = opendir(path);
    while (dir && (entry = readdir(dir))) {
        snprintf(name, sizeof(name), "%s%s%s", below, *below ? "/" : "", entry->d_name);
        if (strchr(entry->d_name, '.') || strchr("+", entry->d_name[0]) ||
            strstr("posixrules localtime leapseconds right posix Factory", entry->d_name) ||
            fstatat(dirfd(dir), entry->d_name, &st, 0))
            continue;
        if (S_ISDIR(st.st_mode)) {
            count += each_zone(name, cb);
            continue;
        }
        cb(name);
        count++;
    }
    if (dir)
        closedir(dir);
    return count;
}

#endif
