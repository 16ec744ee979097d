#include "options.h"

#include "base/error.h"
#include "base/str.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#define AT(member) offsetof(struct options, member)

/* clang-format off */
const struct option_row options_table[] = {
    {"config", "STORYCHAIN_CONFIG", "FILE", OPTION_TEXT, AT(config), NULL, NULL,
     "read options from FILE, lines of `key = value`"},
    {"listen", "STORYCHAIN_LISTEN", "ADDRESS:PORT", OPTION_TEXT, AT(listen), "127.0.0.1:8080", NULL,
     "where HTTP is served"},
    {"allow-remote", "STORYCHAIN_ALLOW_REMOTE", NULL, OPTION_BOOL, AT(allow_remote), "no", NULL,
     "let --listen name an address that other machines reach; there is no login yet, so put a proxy before it"},
    {"state-dir", "STORYCHAIN_STATE_DIR", "DIR", OPTION_TEXT, AT(state_dir), NULL, NULL,
     "folder of database, embedded Redis and mail (default: $XDG_STATE_HOME/storychain or ~/.local/state/storychain)"},
    {"redis-url", "REDIS_URL", "URL", OPTION_TEXT, AT(redis_url), NULL, NULL,
     "Redis or Valkey: redis://, rediss://, unix:// or redis+sentinel://host,host/master (default: one of our own in the "
     "state folder)"},
    {"store-url", "STORE_URL", "URL", OPTION_TEXT, AT(store_url), NULL, NULL,
     "database: sqlite:///path (default: storychain.db in the state folder)"},
    {"smtp-url", "SMTP_URL", "URL", OPTION_TEXT, AT(smtp_url), NULL, NULL,
     "mail server: smtp:// or smtps:// (default: a maildir in the state folder)"},
    {"mail-from", "MAIL_FROM", "ADDRESS", OPTION_TEXT, AT(mail_from), "StoryChain <storychain@localhost>", NULL,
     "sender of mail"},
    {"site-url", "SITE_URL", "URL", OPTION_TEXT, AT(site_url), NULL, NULL,
     "what links in mail begin with (default: where HTTP is served)"},
    {"prefix", "STORYCHAIN_PREFIX", "TEXT", OPTION_TEXT, AT(prefix), "bull", NULL,
     "prefix of the queues' keys, as BullMQ's option of that name"},
    {"drain", "STORYCHAIN_DRAIN", "TIME", OPTION_DURATION, AT(drain_ms), "25s", NULL,
     "how long running jobs may go on at shutdown before they are handed back"},
    {"log-level", "STORYCHAIN_LOG_LEVEL", "LEVEL", OPTION_TEXT, AT(log_level), "info", "debug|info|warn|error",
     "least important lines to log: debug, info, warn or error"},
    {"log-format", "STORYCHAIN_LOG_FORMAT", "FORMAT", OPTION_TEXT, AT(log_format), "auto", "auto|text|json",
     "text, json, or auto: text on a terminal, json elsewhere"},
    {NULL, NULL, NULL, OPTION_TEXT, 0, NULL, NULL, NULL},
};
/* clang-format on */

enum { LINE_MAX_BYTES = 4096 };

const struct option_row *option_find(sc_slice flag)
{
    for (const struct option_row *row = options_table; row->flag; row++)
        if (sc_slice_eq(flag, sc_slice_of(row->flag)))
            return row;
    return NULL;
}

bool option_duration(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"", 1}, {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = strspn(text, "0123456789");
    int64_t value;

    if (!digits || digits > 12 || !sc__int_parse((sc_slice){text, digits}, &value))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
        if (strcmp(text + digits, units[i].unit))
            continue;
        *ret_ms = value * units[i].ms;
        return value <= INT64_MAX / 2 / units[i].ms;
    }
    return false;
}

static bool is_choice(const char *choices, const char *text)
{
    size_t len = strlen(text);

    for (const char *at = choices; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        if (len && !strncmp(at, text, len) && (at[len] == '|' || at[len] == '\0'))
            return true;
    return false;
}

static bool parse_bool(const char *text, bool *ret_value)
{
    *ret_value = is_choice("yes|true|on|1", text);
    return *ret_value || is_choice("no|false|off|0", text);
}

sc_err option_set(struct options_reader *reader, const struct option_row *row, const char *text,
                  const char *where, sc_reason *ret_reason)
{
    char *at = (char *)reader->options + row->offset;

    if (row->type == OPTION_DURATION && !option_duration(text, (int64_t *)(void *)at))
        return sc__because(ret_reason, SC_EINVAL,
                           "%s: \"%.60s\" is not a time; write it like 500ms, 30s, 5m or 1h", where,
                           text);
    if (row->type == OPTION_BOOL && !parse_bool(text, (bool *)at))
        return sc__because(ret_reason, SC_EINVAL, "%s: \"%.60s\" is neither yes nor no", where,
                           text);
    if (row->type != OPTION_TEXT)
        return SC_OK;
    if (row->choices && !is_choice(row->choices, text))
        return sc__because(ret_reason, SC_EINVAL, "%s: \"%.60s\" is not one of %s", where, text,
                           row->choices);
    *(const char **)(void *)at = sc__arena_dup(reader->arena, sc_slice_of(text));
    return *(const char **)(void *)at ? SC_OK : SC_ENOMEM;
}

/* A line of the config file: blank, a comment, or key = value, the value perhaps in quotes. */
static sc_err read_line(struct options_reader *reader, char *line, const char *where,
                        sc_reason *ret_reason)
{
    char *key = line + strspn(line, " \t"), *equals = strchr(key, '='), *value, *end;
    const struct option_row *row;

    if (!*key || *key == '#')
        return SC_OK;
    if (!equals)
        return sc__because(ret_reason, SC_EINVAL,
                           "%s: expected a line like `listen = \"127.0.0.1:8080\"`", where);
    for (end = equals; end > key && isspace((unsigned char)end[-1]); end--)
        ;
    for (char *c = key; c < end; c++)
        if (*c == '_')
            *c = '-';
    row = option_find((sc_slice){key, (size_t)(end - key)});
    if (!row || row->offset == AT(config))
        return sc__because(ret_reason, SC_EINVAL,
                           "%s: there is no option \"%.*s\"; `storychain serve --help` lists them",
                           where, (int)(end - key > 40 ? 40 : end - key), key);
    value = equals + 1 + strspn(equals + 1, " \t");
    for (end = value + strlen(value); end > value && isspace((unsigned char)end[-1]); end--)
        ;
    if (end - value >= 2 && (*value == '"' || *value == '\'') && end[-1] == *value)
        value++, end--;
    *end = '\0';
    if (reader->set[row - options_table])
        return SC_OK;
    reader->set[row - options_table] = true;
    return option_set(reader, row, value, where, ret_reason);
}

/* A line without an end is one that did not fit, or has a NUL byte in it. */
static sc_err take_line(struct options_reader *reader, char *line, const char *where, bool whole,
                        sc_reason *ret_reason)
{
    if (!whole)
        return sc__because(ret_reason, SC_EINVAL,
                           "%s: the line is no text, or longer than %d bytes", where,
                           LINE_MAX_BYTES - 2);
    line[strcspn(line, "\r\n")] = '\0';
    return read_line(reader, line, where, ret_reason);
}

static sc_err read_file(struct options_reader *reader, const char *path, sc_reason *ret_reason)
{
    char line[LINE_MAX_BYTES], where[512];
    FILE *file = fopen(path, "re");
    sc_err err = SC_OK;

    if (!file)
        return sc__because(ret_reason, SC_EIO, "config file %s: %s", path, strerror(errno));
    for (int n = 1; !err && fgets(line, sizeof(line), file); n++) {
        snprintf(where, sizeof(where), "%s, line %d", path, n);
        err = take_line(reader, line, where, strchr(line, '\n') || feof(file), ret_reason);
    }
    if (!err && ferror(file))
        err = sc__because(ret_reason, SC_EIO, "config file %s: %s", path, strerror(errno));
    fclose(file);
    return err;
}

static sc_err read_environment(struct options_reader *reader, sc_reason *ret_reason)
{
    for (const struct option_row *row = options_table; row->flag; row++) {
        const char *text = getenv(row->env);
        sc_err err;

        if (reader->set[row - options_table] || !text || !*text)
            continue;
        reader->set[row - options_table] = true;
        err = option_set(reader, row, text, row->env, ret_reason);
        if (err)
            return err;
    }
    return SC_OK;
}

static sc_err default_state_dir(struct options_reader *reader, sc_reason *ret_reason)
{
    const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

    if (state && *state == '/')
        reader->options->state_dir = sc__arena_printf(reader->arena, "%s/storychain", state);
    else if (home && *home == '/')
        reader->options->state_dir =
            sc__arena_printf(reader->arena, "%s/.local/state/storychain", home);
    else
        return sc__because(ret_reason, SC_EINVAL,
                           "there is no HOME to keep the state in; name a folder with --state-dir");
    return reader->options->state_dir ? SC_OK : SC_ENOMEM;
}

sc_err options_finish(struct options_reader *reader, sc_reason *ret_reason)
{
    sc_err err = read_environment(reader, ret_reason);

    if (!err && reader->options->config)
        err = read_file(reader, reader->options->config, ret_reason);
    for (const struct option_row *row = options_table; !err && row->flag; row++)
        if (!reader->set[row - options_table] && row->otherwise)
            err = option_set(reader, row, row->otherwise, row->flag, ret_reason);
    reader->options->state_dir_given = reader->options->state_dir != NULL;
    if (!err && !reader->options->state_dir)
        err = default_state_dir(reader, ret_reason);
    return err;
}
