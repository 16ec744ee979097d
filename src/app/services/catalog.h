/* What the services of stories, chapters and users work on. All of it outlives the struct. */
#ifndef APP_SERVICES_CATALOG_H
#define APP_SERVICES_CATALOG_H

#include <storychain/cache.h>

#include "app/store/store.h"

struct notifier;

struct catalog {
    struct store *store;
    sc_cache *cache;
    struct notifier *notifier; /* NULL: nobody is told of new chapters */
};

#endif
