/* Story files of any content: read, or refused with a reason. What begins with a brace is JSON. */
#include <stdint.h>
#include <stdlib.h>

#include "app/import/source.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct story_bundle story;
    sc_reason reason = {""};
    sc__arena arena;

    if (!size)
        return 0;
    sc__arena_init(&arena, 16 * 1024 * 1024);
    if (import_parse(data[0] == '{' ? "x.json" : "x.md", (sc_slice){(const char *)data, size},
                     &arena, &story, &reason)) {
        if (!reason.text[0])
            abort();
    } else {
        for (size_t i = 0; i < story.chapters.count; i++)
            if (!slug_is_valid(story.chapters.items[i].slug))
                abort();
    }
    sc__arena_release(&arena);
    return 0;
}
