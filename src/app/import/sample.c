/* The sample stories. */
#include "import.h"

#include "app/services/stories.h"

#include "sample_stories.h"

enum { ARENA_MAX = 16 * 1024 * 1024 };

sc_err sample_import(const struct catalog *catalog, size_t *ret_imported, sc_reason *ret_reason)
{
    size_t imported = 0;
    sc_err err = SC_OK;

    for (const struct sample_story *s = sample_stories; s->name && !err; s++) {
        struct import_result result;
        sc__arena arena;

        sc__arena_init(&arena, ARENA_MAX);
        err = story_import_text(catalog->store, s->name, (sc_slice){s->text, s->len}, &arena,
                                &result, ret_reason);
        if (!err) {
            story_changed(catalog, result.story_id);
            imported++;
        }
        sc__arena_release(&arena);
        if (err == SC_EEXIST)
            err = SC_OK;
    }
    if (!err)
        *ret_imported = imported;
    return err;
}
