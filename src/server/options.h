/* The options of the program: one table, from which flags, environment, config file, --help and the manual come.
 *
 * A flag goes before the environment, that before the config file, that before the default; each
 * option by itself. */
#ifndef SERVER_OPTIONS_H
#define SERVER_OPTIONS_H

#include <storychain/base.h>

#include "base/arena.h"

/* Values in effect. Texts live in the arena that options_init() was given; NULL: not set. */
struct options {
    const char *config;
    const char *listen;
    const char *state_dir;
    const char *redis_url, *store_url, *smtp_url;
    const char *mail_from, *site_url;
    const char *prefix;
    int64_t drain_ms;
    const char *log_level, *log_format;
    bool allow_remote;
    bool state_dir_given; /* the default is not in effect */
};

typedef enum option_type { OPTION_TEXT, OPTION_DURATION, OPTION_BOOL } option_type;

struct option_row {
    const char *flag; /* without "--"; also the key in the config file, with '_' for '-' */
    const char *env;
    const char *arg; /* "DIR"; NULL for yes/no options */
    option_type type;
    size_t offset; /* of the value in struct options */
    const char *otherwise;
    const char *choices; /* "text|json"; NULL: anything */
    const char *help;
};

extern const struct option_row options_table[]; /* ends with a NULL flag */

/* Where each value came from while they are read. */
struct options_reader {
    struct options *options;
    sc__arena *arena;
    bool set[32]; /* by a flag, by row */
};

/* Looks a flag up; NULL when there is none of that name. */
const struct option_row *option_find(sc_slice flag);

/* Sets one option from its text. SC_EINVAL with a sentence that names `where` ("--drain", "REDIS_URL"). */
SC_MUST_USE sc_err option_set(struct options_reader *reader, const struct option_row *row,
                              const char *text, const char *where, sc_reason *ret_reason);

/* After the flags: what environment, config file and defaults say of the rest. Creates nothing. */
SC_MUST_USE sc_err options_finish(struct options_reader *reader, sc_reason *ret_reason);

/* "90s", "1500ms", "5m", "2h", "1d", or plain milliseconds. */
bool option_duration(const char *text, int64_t *ret_ms);

#endif
