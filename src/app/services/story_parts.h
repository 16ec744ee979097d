/* What the services of stories and chapters share. */
#ifndef APP_SERVICES_STORY_PARTS_H
#define APP_SERVICES_STORY_PARTS_H

#include "catalog.h"

/* SC_ENOTFOUND, and the sentence. */
sc_err story_missing(sc_slice slug, sc_reason *ret_reason);

/* Straight from the store. SC_ENOTFOUND, for a draft too. */
SC_MUST_USE sc_err story_find_published(struct store *store, sc_slice slug, sc__arena *arena,
                                        struct story **ret_story, sc_reason *ret_reason);

/* Removes from the cache all that shows the story; its chapters too, unless they stay as they
 * are. After the write: it gives no error. */
void story_invalidate(const struct catalog *catalog, sc_slice story_id, bool with_chapters);

/* What shows a story's author, collaborators or followers, who may have new names, is stale. */
void story_people_invalidate(const struct catalog *catalog, sc_slice story_id);

#endif
