/* Data that a command is given: as a word, or on stdin. */
#ifndef CLI_READ_DATA_H
#define CLI_READ_DATA_H

#include "base/str.h"
#include "cmd.h"

enum { CLI_DATA_MAX = 64 * 1024 * 1024 }; /* a ceiling for `out` */

/* The word itself, or with "-" what is on stdin. EXIT_OK, or an exit code after a message. */
int cli_read_data(struct cli *cli, const char *word, sc__str *out);

#endif
