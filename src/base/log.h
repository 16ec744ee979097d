/* The library's side of the log hook. */
#ifndef SC_BASE_LOG_H
#define SC_BASE_LOG_H

#include <storychain/base.h>

void sc__log(sc_log_level level, const char *fmt, ...) SC_PRINTF(2, 3);

#endif
