/* The queues that the server knows: StoryChain's own, and all others found under the prefix.
 *
 * Handles live as long as the index. Finding means scanning the server's keys, so that it is done
 * once a second at most, and less often the longer it takes: a fiftieth of the time goes to it, by
 * the quickest of the last three times. */
#ifndef SERVER_QUEUE_INDEX_H
#define SERVER_QUEUE_INDEX_H

#include <storychain/queue.h>

#include "base/arena.h"

struct app;
struct queue_index;

/* `app` is kept until queue_index_free(). */
SC_MUST_USE sc_err queue_index_new(struct app *app, struct queue_index **ret_index);
void queue_index_free(struct queue_index *index); /* NULL is fine */

/* All of them, StoryChain's first; the array is in the arena. Without the server: those known so far. */
struct queue_list {
    sc_queue **items;
    size_t count;
};
SC_MUST_USE sc_err queue_index_list(struct queue_index *index, sc__arena *arena,
                                    struct queue_list *ret_list);

/* SC_ENOTFOUND with a sentence. */
SC_MUST_USE sc_err queue_index_get(struct queue_index *index, sc_slice name, sc_queue **ret_queue,
                                   sc_reason *ret_reason);

#endif
