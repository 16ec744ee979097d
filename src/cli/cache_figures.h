/* What a running StoryChain counts of its cache, as its /metrics says. */
#ifndef CLI_CACHE_FIGURES_H
#define CLI_CACHE_FIGURES_H

#include "base/json.h"

/* An object: "hits": 12, …; what has labels is left out. A new reference. NULL when no StoryChain answers there. */
json_t *cache_figures_read(const char *url);

#endif
