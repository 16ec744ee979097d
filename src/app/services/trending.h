/* The trending list: published stories by what readers and writers did with them in the last week.
 *
 * The schedule "refresh-trending-stories" computes it every half hour, so that no reader waits for it. */
#ifndef APP_SERVICES_TRENDING_H
#define APP_SERVICES_TRENDING_H

#include "catalog.h"

/* Computes the list and puts it into the cache. `*ret_count`: stories in it. The store's errors, or the
 * cache's when it could not be put there. */
SC_MUST_USE sc_err trending_refresh(const struct catalog *catalog, int64_t *ret_count,
                                    sc_reason *ret_reason);

/* {"stories": […]}, best first, at most 100; from the cache, else computed now. Release with
 * sc_cache_value_release. */
SC_MUST_USE sc_err trending_list_json(const struct catalog *catalog, sc_cache_value *ret_json,
                                      sc_reason *ret_reason);

#endif
