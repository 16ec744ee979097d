/* A schedule's rule from the words and flags of a command. */
#ifndef CLI_SCHEDULE_RULE_H
#define CLI_SCHEDULE_RULE_H

#include <storychain/scheduler.h>

#include "cmd.h"

/* Reads `when` and the flags that the command has. False after a message. Texts live as long as the command. */
bool cli_schedule_rule(struct cli *cli, const char *when, sc_repeat *ret_repeat);

/* Calls `act` on the queue of --queue, else on StoryChain's own. */
int cli_on_schedules(struct cli *cli, int (*act)(struct cli *cli, sc_queue *queue));

/* Prints times with their zone and UTC; where the zone's clocks change between two of them, that. Or, with --json, gives an array in
 * `*ret_json` (NULL without). `tz` empty: UTC. False after a message. */
bool cli_print_times(struct cli *cli, sc_slice tz, const int64_t *times, size_t count,
                     void **ret_json);

#endif
