/* What --help prints, from the tables of commands and options. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include "cmd.h"

/* All commands; with words, those that start with them ("queue"). Gives an exit code. */
int help_main(int word_count, char **words);

void help_cmd(const struct cmd *cmd);

/* Says on stderr that there is no such command, and which are near. Gives EXIT_USAGE. */
int help_unknown(int word_count, char **words);

/* The manual page, in roff, on stdout. */
void help_man(void);

/* True when a row of options_table matters to a command. */
bool help_has_option(const struct cmd *cmd, const char *name);

/* What bash needs to complete commands and options, on stdout. */
void help_completion(void);

#endif
