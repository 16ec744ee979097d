/* Stories: reading them through the cache, and what changes them.
 *
 * A function that ends in _json gives the bytes of a JSON answer (shapes.h says what is in
 * them), whether they came from the cache, and their age. Release them with
 * sc_cache_value_release. What is not there is SC_ENOTFOUND, and not cached; a draft is not
 * there for these. Without Redis they work, more slowly. Writes store first, then invalidate all
 * that shows what they changed. Limits of texts stand in text_rules.h. */
#ifndef APP_SERVICES_STORIES_H
#define APP_SERVICES_STORIES_H

#include "app/cache_keys.h"

#include "catalog.h"

enum { STORY_LIST_MAX = 100 /* stories in one list */ };

/* {"stories": […]}: the first STORY_LIST_MAX of the list. */
SC_MUST_USE sc_err story_list_json(const struct catalog *catalog, enum story_list list,
                                   sc_cache_value *ret_json, sc_reason *ret_reason);

/* "published", "new" or "featured". SC_ENOTFOUND. */
SC_MUST_USE sc_err story_list_find(sc_slice name, enum story_list *ret_list);

SC_MUST_USE sc_err story_detail_json(const struct catalog *catalog, sc_slice slug,
                                     sc_cache_value *ret_json, sc_reason *ret_reason);

/* The story and its collaborators. */
SC_MUST_USE sc_err story_overview_json(const struct catalog *catalog, sc_slice slug,
                                       sc_cache_value *ret_json, sc_reason *ret_reason);

/* Its chapters in the order of reading, without their text. */
SC_MUST_USE sc_err story_tree_json(const struct catalog *catalog, sc_slice slug,
                                   sc_cache_value *ret_json, sc_reason *ret_reason);

/* Published stories of a user. */
SC_MUST_USE sc_err story_user_list_json(const struct catalog *catalog, sc_slice user_id,
                                        sc_cache_value *ret_json, sc_reason *ret_reason);

/* Published stories with all words of the text in title, summary, tags or author. SC_EINVAL: over 200
 * bytes. */
SC_MUST_USE sc_err story_search_json(const struct catalog *catalog, sc_slice text,
                                     sc_cache_value *ret_json, sc_reason *ret_reason);

struct story_draft {
    sc_slice slug; /* absent: made from the title */
    sc_slice title;
    sc_slice summary; /* optional */
    sc_slice tags;    /* optional; JSON array of texts */
    sc_slice author_id;
    bool publish; /* at once */
};

/* SC_EINVAL: a field is missing, too long, not UTF-8 or no slug (the reason names it), or there
 * is no such author. SC_EEXIST: the slug is taken. */
SC_MUST_USE sc_err story_create(const struct catalog *catalog, const struct story_draft *draft,
                                sc__arena *arena, struct story **ret_story, sc_reason *ret_reason);

/* Makes a draft public. No change when it is. SC_ENOTFOUND. */
SC_MUST_USE sc_err story_publish(const struct catalog *catalog, sc_slice slug, sc__arena *arena,
                                 struct story **ret_story, sc_reason *ret_reason);

/* `*ret_changed` (may be NULL): false if it was so. SC_ENOTFOUND: no such story or user. */
SC_MUST_USE sc_err story_follow(const struct catalog *catalog, sc_slice slug, sc_slice user_id,
                                bool follow, bool *ret_changed, sc_reason *ret_reason);

/* Adds a collaborator or changes the role ("editor", …); an absent role removes. SC_ENOTFOUND as
 * above. */
SC_MUST_USE sc_err story_collaborate(const struct catalog *catalog, sc_slice slug, sc_slice user_id,
                                     sc_slice role, sc_reason *ret_reason);

/* After a story was stored by other ways (an import): what showed it, its
 * absence, or its people under the names they had, is stale. */
void story_changed(const struct catalog *catalog, sc_slice story_id);

#endif
