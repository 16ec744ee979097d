/* How far a command is that touches very many things: a line on stderr, when that is a terminal. Ctrl-C stops between two slices. */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include <storychain/base.h>

struct progress {
    const char *what;  /* "jobs" */
    const char *doing; /* "removed" */
    int64_t done;
    bool shown;
};

/* For an sc_sweep, with a struct progress; after signals_note(). */
bool progress_told(void *progress, int64_t done);

/* Before anything else is printed. */
void progress_end(const struct progress *progress);

#endif
