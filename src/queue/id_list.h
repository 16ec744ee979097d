/* Makes an sc_id_list: texts in one allocation. */
#ifndef SC_QUEUE_ID_LIST_H
#define SC_QUEUE_ID_LIST_H

#include <storychain/queue.h>

/* The texts are copied. NULL without memory. */
SC_MUST_USE sc_id_list *sc__id_list_new(const sc_slice *texts, size_t count);

/* Copies a text to `*at`, with a NUL, and moves `*at` behind it. */
static inline sc_slice sc__put_text(char **at, sc_slice text)
{
    sc_slice copied = {*at, text.len};

    if (text.len)
        memcpy(*at, text.ptr, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copied;
}

#endif
