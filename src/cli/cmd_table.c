#include "cmds.h"

const struct cmd cmd_table[] = {
    {NULL, NULL, 0, 0, NULL, NULL, NULL, {{NULL, NULL, NULL}}, NULL},
};
