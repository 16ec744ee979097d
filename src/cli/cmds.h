/* The commands' functions, for the table. */
#ifndef CLI_CMDS_H
#define CLI_CMDS_H

#include "cmd.h"

int cmd_cron_next(struct cli *cli);

#endif
