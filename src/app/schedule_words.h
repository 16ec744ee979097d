/* How a schedule's policies are called, in JSON, on the command line, and in tables. */
#ifndef APP_SCHEDULE_WORDS_H
#define APP_SCHEDULE_WORDS_H

#include <storychain/scheduler.h>

/* The words of each, in the order of the enum; they end with NULL. */
extern const char *const overlap_words[];   /* allow, skip, buffer-one, buffer-all */
extern const char *const catchup_words[];   /* late, none, one, all */
extern const char *const dst_words[];       /* vixie, skip, bullmq */
extern const char *const run_state_words[]; /* open, completed, failed, gone, skipped */

/* The place of a word; -1 when it is none of them. */
int word_find(const char *const *words, const char *word);

#endif
