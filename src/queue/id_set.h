/* A set of texts that is filled, then sorted, then asked. */
#ifndef SC_QUEUE_ID_SET_H
#define SC_QUEUE_ID_SET_H

#include "base/arena.h"

typedef struct sc__id_set {
    sc_slice *items; /* NUL-terminated */
    size_t count, cap, max;
    sc__arena arena;
} sc__id_set;

/* At most `max` texts of 64 MiB in all. */
void sc__id_set_init(sc__id_set *set, size_t max);
void sc__id_set_release(sc__id_set *set);
void sc__id_set_clear(sc__id_set *set); /* empty again */

/* Copies the text. SC_ENOMEM, SC_ETOOBIG. */
SC_MUST_USE sc_err sc__id_set_add(sc__id_set *set, sc_slice text);

/* Sorts, and drops what is there twice. */
void sc__id_set_sort(sc__id_set *set);

/* Of one that is sorted. */
bool sc__id_set_has(const sc__id_set *set, sc_slice text);

#endif
