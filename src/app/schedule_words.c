#include "schedule_words.h"

#include <string.h>

const char *const overlap_words[] = {"allow", "skip", "buffer-one", "buffer-all", NULL};
const char *const catchup_words[] = {"late", "none", "one", "all", NULL};
const char *const dst_words[] = {"vixie", "skip", "bullmq", NULL};
const char *const run_state_words[] = {"open", "completed", "failed", "gone", "skipped", NULL};

int word_find(const char *const *words, const char *word)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(words[i], word))
            return i;
    return -1;
}
