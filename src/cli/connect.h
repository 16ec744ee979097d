/* Reaching what a running StoryChain uses: its Redis and its database. */
#ifndef CLI_CONNECT_H
#define CLI_CONNECT_H

#include <storychain/client.h>
#include <storychain/queue.h>

#include "app/store/store.h"
#include "cmd.h"

/* The URL of --redis-url, else of the Redis that `storychain serve` keeps in the state folder; NULL when there is
 * none. In the arena. */
const char *cli_find_redis_url(struct cli *cli);

/* The same, with a message on stderr when there is none. */
const char *cli_redis_url(struct cli *cli);

/* A client of --redis-url, else of the Redis that `storychain serve` keeps in the state folder.
 * Gives EXIT_OK, or an exit code after saying on stderr what is wrong and what to do. */
int cli_connect(struct cli *cli, sc_client **ret_client);

/* A queue by the name in the command's first word. */
int cli_open_queue(struct cli *cli, sc_client *client, sc_slice name, sc_queue **ret_queue);

/* Calls `act` on the queue that the command's first word names, with the connection opened and closed around it. A queue that
 * is not there is EXIT_NOT_FOUND. */
int cli_on_queue(struct cli *cli, int (*act)(struct cli *cli, sc_queue *queue));

/* EXIT_OK when there is a queue of that name; else an exit code after a message. Looks through all keys, in slices. */
int cli_check_queue(struct cli *cli, sc_client *client, sc_slice name);

/* The database of --store-url, else of the state folder; made if there is none. */
int cli_open_store(struct cli *cli, struct store **ret_store);

/* Prints a JSON value and a newline on stdout, and drops the reference. */
int cli_print_json(struct cli *cli, void *json);

#endif
