#include "cmds.h"

const struct cmd cmd_table[] = {
    {"cron next", "EXPRESSION", 1, 1, "the next times of a cron expression",
     "EXPRESSION has five fields (minute hour day month weekday), or six with seconds first; quote it.\n"
     "Prints UTC times, one a line.\n\n"
     "  storychain cron next '0 3 * * *' --tz Europe/Berlin --count 5\n"
     "  storychain cron next '*/30 9-17 * * 1-5' --from 2026-03-28T00:00:00Z",
     "",
     {{"tz", "ZONE", "time zone, an IANA name (default UTC)"},
      {"from", "TIME", "times after this one, like 2026-03-28T00:00:00Z (default: now)"},
      {"count", "N", "how many, 1 to 1000 (default 1)"}},
     cmd_cron_next},
    {NULL, NULL, 0, 0, NULL, NULL, NULL, {{NULL, NULL, NULL}}, NULL},
};
