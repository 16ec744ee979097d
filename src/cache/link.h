/* A cache's connection of its own: over it go all of its commands, and it is told which of the keys that it has read
 * have changed.
 *
 *     silent -> heard      an answer came; what was read here is known to be true as of when that was asked
 *     heard -> silent      nothing was heard for a second, though the server was asked; or the connection is lost
 *
 * While anybody cares, an otherwise quiet connection is asked four times a second. */
#ifndef SC_CACHE_LINK_H
#define SC_CACHE_LINK_H

#include "redis/tracking.h"
#include "await.h"
#include "pulse.h"

enum { SC__LINK_SILENT_MS = 1000 };

typedef struct sc__link {
    sc_client *client; /* its own */
    sc__awaits awaits;
    sc__tracking tracking;
    sc__client_watch watch;
    sc__pulse pulse;
    atomic_int_fast64_t
        heard_ms;        /* mono; when the last question was asked that has been answered */
    atomic_bool is_used; /* since the last beat of the pulse */
    /* the I/O thread's */
    bool is_asking;
    sc__tracking listener; /* told of changes, too; zeroed: none */
    int64_t asked_ns;      /* mono */
    int idle_beats;
} sc__link;

/* To the server of `like`, which must outlive nothing. */
SC_MUST_USE sc_err sc__link_start(sc__link *link, const sc_client *like, sc_reason *ret_reason);

/* Commands under way end with SC_ECANCELED. Not on its I/O thread. */
void sc__link_stop(sc__link *link);

/* Who else is told, on the I/O thread; `all_changed` comes with the loss of the connection, too. Copied; once, and before anything is
 * read that he keeps. */
void sc__link_listen(sc__link *link, const sc__tracking *listener);

/* An answer to what was asked at `asked_ms` (mono) has come. Any thread. */
void sc__link_heard(sc__link *link, int64_t asked_ms);

/* Whether the server was heard within the last second, on a connection that tells of changes. Whoever asks wants to know
 * it for some time: see above. Any thread. */
bool sc__link_is_heard(sc__link *link);
bool sc__link_is_heard_at(sc__link *link, int64_t mono_ms); /* now */

#endif
