/* The program's log: one line an event on stderr, as text on a terminal, as JSON elsewhere. */
#ifndef CLI_LOGGER_H
#define CLI_LOGGER_H

#include <storychain/base.h>

/* Takes the library's log hook. `level` and `format` are the options' words. Lines carry no job data. */
void logger_start(const char *level, const char *format);

#endif
