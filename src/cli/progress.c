#include "progress.h"

#include "signals.h"

#include <stdio.h>
#include <unistd.h>

bool progress_told(void *progress, int64_t done)
{
    struct progress *p = progress;

    p->done = done;
    p->shown = isatty(STDERR_FILENO);
    if (p->shown)
        fprintf(stderr, "\r%lld %s %s ", (long long)done, p->what, p->doing);
    return !signals_came();
}

void progress_end(const struct progress *p)
{
    if (p->shown)
        fputs("\r\x1b[K", stderr);
}
