/* Makes an sc_id_list: texts in one allocation. */
#ifndef SC_QUEUE_ID_LIST_H
#define SC_QUEUE_ID_LIST_H

#include <storychain/queue.h>

/* The texts are copied. NULL without memory. */
SC_MUST_USE sc_id_list *sc__id_list_new(const sc_slice *texts, size_t count);

#endif
