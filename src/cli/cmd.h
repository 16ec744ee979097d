/* A command of the program: one row of cmd_table[], one function in a file of its own.
 *
 * A command gets its words and flags parsed, prints to stdout what was asked for (a table on a terminal, JSON with
 * --json), to stderr what went wrong, and gives an exit code. */
#ifndef CLI_CMD_H
#define CLI_CMD_H

#include "server/options.h"

#include <stdio.h>

/* Exit codes; stable. */
enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_FOUND = 3,
    EXIT_UNREACHABLE = 4, /* Redis */
    EXIT_REFUSED = 5      /* for safety */
};

struct cmd_flag {
    const char *name; /* without "--" */
    const char *arg;  /* NULL: a switch */
    const char *help;
};

enum { CMD_FLAGS_MAX = 20 };

struct cli {
    const struct cmd *cmd;
    struct options options;
    sc__arena arena; /* freed when the program ends */
    bool json;
    int word_count; /* words after the command's name */
    char **words;
    const char *flags[CMD_FLAGS_MAX]; /* values of cmd->flags; a switch that is on is "" */
};

struct cmd {
    const char *name;  /* "queue list" */
    const char *words; /* what follows: "QUEUE ID" */
    int words_min, words_max;
    const char *summary;
    const char *more;    /* examples and remarks for --help; NULL: none */
    const char *options; /* names of options_table rows that matter here, separated by spaces */
    struct cmd_flag flags[CMD_FLAGS_MAX];
    int (*run)(struct cli *cli);
};

extern const struct cmd cmd_table[]; /* ends with a NULL name */

/* The value of a flag of this command; NULL when not given. */
const char *cli_flag(const struct cli *cli, const char *name);

/* A whole number from a flag: `otherwise` when not given. False after an error message when out of range. */
bool cli_flag_int(const struct cli *cli, const char *name, int64_t otherwise, int64_t min,
                  int64_t max, int64_t *ret_value);

/* Likewise a time ("30s"), in ms. */
bool cli_flag_time(const struct cli *cli, const char *name, int64_t otherwise, int64_t *ret_ms);

/* "storychain queue list: …" on stderr; gives `code` back. */
int cli_fail(const struct cli *cli, int code, const char *fmt, ...) SC_PRINTF(3, 4);

/* The same for a library error; the exit code follows from it. `reason` may be empty. */
int cli_fail_err(const struct cli *cli, sc_err err, const sc_reason *reason, const char *what);

/* "" for 1, else "s". */
const char *cli_plural(int64_t count);

/* Parses and runs. `argv` as main() has it. */
int cli_main(int argc, char **argv);

#endif
