/* Imports stories from files: our JSON format and Markdown, docs/story-format.md describes both. */
#ifndef APP_IMPORT_IMPORT_H
#define APP_IMPORT_IMPORT_H

#include "app/store/store.h"

enum { IMPORT_FILE_MAX = 64 * 1024 * 1024 };

/* Reads one story from a file (.json; .md or .markdown) and checks all of it; stores nothing.
 * The arena needs about twice the file's size.
 *
 * SC_ENOTFOUND, SC_EIO, SC_EPERM: the file can't be read. SC_ETOOBIG: over 64 MiB. SC_ESYNTAX:
 * not JSON, not UTF-8, or not our format; SC_EINVAL: something is missing, given twice, or in a
 * circle. The reason is "FILE:LINE: what" as far as the line is known. */
SC_MUST_USE sc_err story_read_file(const char *path, sc__arena *arena,
                                   struct story_bundle *ret_story, sc_reason *ret_reason);

struct import_result {
    sc_slice story_id, slug, title;
    size_t chapters;
};

/* Reads and stores one story, all of it or nothing. SC_EEXIST: its slug is taken; else as above
 * or the store's. `progress` (may be NULL) counts chapters as they are stored. */
SC_MUST_USE sc_err story_import(struct store *store, const char *path, store_progress progress,
                                void *user, sc__arena *arena, struct import_result *ret_result,
                                sc_reason *ret_reason);

/* The same for a text: `name` stands for the file's name, and says by its end which format it is. */
SC_MUST_USE sc_err story_import_text(struct store *store, const char *name, sc_slice text,
                                     sc__arena *arena, struct import_result *ret_result,
                                     sc_reason *ret_reason);

struct catalog;

/* The sample stories, which are built in (examples/stories/): stores those whose slug is not taken,
 * and invalidates what was cached without them. `*ret_imported` counts them. */
SC_MUST_USE sc_err sample_import(const struct catalog *catalog, size_t *ret_imported,
                                 sc_reason *ret_reason);

#endif
