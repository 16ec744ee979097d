/* Chapters: reading and publishing them, autosaves, reading history. Conventions as in
 * stories.h, limits of texts in text_rules.h. */
#ifndef APP_SERVICES_CHAPTERS_H
#define APP_SERVICES_CHAPTERS_H

#include "catalog.h"

enum { AUTOSAVE_CHAPTER_MAX = 200 /* bytes of the name it is saved under */ };

/* A chapter with its text (Markdown), and what comes before and after it. */
SC_MUST_USE sc_err chapter_detail_json(const struct catalog *catalog, sc_slice story_slug,
                                       sc_slice chapter_slug, sc_cache_value *ret_json,
                                       sc_reason *ret_reason);

struct chapter_draft {
    sc_slice slug; /* absent: made from the title */
    sc_slice title;
    sc_slice content;     /* Markdown */
    sc_slice parent_slug; /* the chapter it continues; absent: it begins the story */
    sc_slice author_id;
};

/* Publishes a chapter, invalidates, and tells the story's author, collaborators and followers,
 * but not who wrote it. Whom it could not tell,
 * chapter_tell_pending() tells.
 *
 * SC_ENOTFOUND: no such story. SC_EPARENT: the story has no such parent. SC_EEXIST: the slug
 * is taken. SC_EINVAL: a field is missing, not UTF-8 or no slug, or there is no such author.
 * SC_ETOOBIG: too long.
 *
 * `*ret_unheard` (may be NULL): SC_OK, or why somebody could not be told; the chapter is
 * published then. */
SC_MUST_USE sc_err chapter_publish(const struct catalog *catalog, sc_slice story_slug,
                                   const struct chapter_draft *draft, sc__arena *arena,
                                   struct chapter **ret_chapter, sc_err *ret_unheard,
                                   sc_reason *ret_reason);

/* Tells the people of all chapters that could not be told of, or not all, when those were
 * published: because Redis was away, or the process was killed. Each hears once. Chapters of the
 * last 10 s are left to who publishes them. To be called at the start, and now and then. Stops at
 * the first error; `*ret_told` (may be NULL) counts the chapters done. */
SC_MUST_USE sc_err chapter_tell_pending(const struct catalog *catalog, int64_t *ret_told,
                                        sc_reason *ret_reason);

/* Notes that the user has read the chapter now. SC_ENOTFOUND: no such user, story or chapter. */
SC_MUST_USE sc_err chapter_mark_read(const struct catalog *catalog, sc_slice user_id,
                                     sc_slice story_slug, sc_slice chapter_slug,
                                     sc_reason *ret_reason);

/* What the user has read of the story, last read first. SC_ENOTFOUND: no such story. */
SC_MUST_USE sc_err chapter_history_json(const struct catalog *catalog, sc_slice user_id,
                                        sc_slice story_slug, sc_cache_value *ret_json,
                                        sc_reason *ret_reason);

/* Autosaves are what one user types now: they are not cached. `chapter` is a slug, or any name
 * for a new chapter. SC_ENOTFOUND: no such user or story; SC_EINVAL, SC_ETOOBIG as in
 * chapter_publish. */
SC_MUST_USE sc_err autosave_put(const struct catalog *catalog, sc_slice user_id,
                                sc_slice story_slug, sc_slice chapter, sc_slice title,
                                sc_slice content, struct autosave *ret_autosave,
                                sc_reason *ret_reason);
/* NULL when there is none. */
SC_MUST_USE sc_err autosave_find(const struct catalog *catalog, sc_slice user_id,
                                 sc_slice story_slug, sc_slice chapter, sc__arena *arena,
                                 struct autosave **ret_autosave, sc_reason *ret_reason);
SC_MUST_USE sc_err autosave_remove(const struct catalog *catalog, sc_slice user_id,
                                   sc_slice story_slug, sc_slice chapter, bool *ret_removed,
                                   sc_reason *ret_reason);

#endif
