/* An entry of the event stream becomes an sc_event. */
#ifndef SC_QUEUE_EVENT_DECODE_H
#define SC_QUEUE_EVENT_DECODE_H

#include <storychain/events.h>

/* Grows with the events that it decodes; zeroed: empty. */
typedef struct sc__event_decoder {
    sc_event_field *fields; /* of the last event */
    size_t cap;
} sc__event_decoder;

/* `entry` is [id, [name, value, …]]. The event borrows from the entry and from the decoder. An entry without `event` is a
 * custom one without name. SC_EPROTO with a reason; SC_ENOMEM. */
SC_MUST_USE sc_err sc__event_decode(sc__event_decoder *decoder, const sc_reply *entry,
                                    sc_event *ret_event, sc_reason *ret_reason);

void sc__event_decoder_release(sc__event_decoder *decoder);

/* The entries of one stream in an answer of XREAD, of either protocol; none for nil. */
SC_MUST_USE sc_err sc__event_entries(const sc_reply *reply, const sc_reply **ret_entries,
                                     size_t *ret_count, sc_reason *ret_reason);

#endif
