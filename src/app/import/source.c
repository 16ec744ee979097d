#include "source.h"

#include <stdio.h>

#include "base/error.h"

enum { CHAPTERS_MAX = 100 * 1000, FIRST_ROOM = 16 };

sc_err source_refuse(const struct source *source, sc_err err, size_t line, const char *fmt, ...)
{
    sc_reason what;
    va_list args;

    va_start(args, fmt);
    vsnprintf(what.text, sizeof(what.text), fmt, args);
    va_end(args);
    if (line)
        return sc__because(source->ret_reason, err, "%s:%zu: %s", source->name, line, what.text);
    return sc__because(source->ret_reason, err, "%s: %s", source->name, what.text);
}

sc_err source_place(const struct source *source, sc_err err, size_t line)
{
    sc_reason what;

    if (!source->ret_reason)
        return err;
    what = *source->ret_reason;
    return source_refuse(source, err, line, "%s", what.text);
}

static sc_err no_room(const struct source *source)
{
    return source_refuse(source, SC_ETOOBIG, 0,
                         "the story needs more memory than an import may use");
}

/* Doubles the room for chapters. */
static sc_err make_room(const struct source *source, struct draft *draft)
{
    size_t room = draft->room ? draft->room * 2 : FIRST_ROOM, count = draft->bundle.chapters.count;
    struct chapter *items = sc__arena_alloc(source->arena, room * sizeof(*items));
    size_t *lines = sc__arena_alloc(source->arena, room * sizeof(*lines));

    if (!items || !lines)
        return no_room(source);
    if (count) {
        memcpy(items, draft->bundle.chapters.items, count * sizeof(*items));
        memcpy(lines, draft->lines, count * sizeof(*lines));
    }
    draft->bundle.chapters.items = items;
    draft->lines = lines;
    draft->room = room;
    return SC_OK;
}

sc_err draft_add_chapter(const struct source *source, struct draft *draft, size_t line,
                         struct chapter **ret_chapter)
{
    struct chapters *chapters = &draft->bundle.chapters;
    sc_err err = SC_OK;

    if (chapters->count == CHAPTERS_MAX)
        return source_refuse(source, SC_ETOOBIG, line, "a story has at most %d chapters",
                             CHAPTERS_MAX);
    if (chapters->count == draft->room)
        err = make_room(source, draft);
    if (err)
        return err;
    draft->lines[chapters->count] = line;
    *ret_chapter = &chapters->items[chapters->count++];
    **ret_chapter = (struct chapter){.position = 0};
    return SC_OK;
}

sc_err draft_add_member(const struct source *source, struct members *members,
                        struct member **ret_member)
{
    size_t count = members->count;

    if (count == 0 || (count >= FIRST_ROOM && (count & (count - 1)) == 0)) {
        size_t room = count ? count * 2 : FIRST_ROOM;
        struct member *items = sc__arena_alloc(source->arena, room * sizeof(*items));

        if (!items)
            return no_room(source);
        if (count)
            memcpy(items, members->items, count * sizeof(*items));
        members->items = items;
    }
    *ret_member = &members->items[members->count++];
    **ret_member = (struct member){.since_ms = 0};
    return SC_OK;
}

sc_err source_copy(const struct source *source, sc_slice text, sc_slice *ret_copy)
{
    char *copy = sc__arena_dup(source->arena, text);

    if (!copy)
        return no_room(source);
    *ret_copy = (sc_slice){copy, text.len};
    return SC_OK;
}

sc_err draft_add_tag(const struct source *source, struct draft *draft, size_t line, sc_slice tag)
{
    sc_err err = line_check("a tag", tag, TAG_MAX, source->ret_reason);

    if (err)
        return source_place(source, err, line);
    if (draft->tag_count == TAGS_MAX)
        return source_refuse(source, SC_ETOOBIG, line, "a story has at most %d tags", TAGS_MAX);
    return source_copy(source, tag, &draft->tags[draft->tag_count++]);
}

sc_err draft_set_status(const struct source *source, struct draft *draft, size_t line,
                        sc_slice status)
{
    if (sc_slice_eq(status, SC_S("published")))
        draft->bundle.story.status = PUBLISHED;
    else if (sc_slice_eq(status, SC_S("draft")))
        draft->bundle.story.status = DRAFT;
    else
        return source_refuse(source, SC_ESYNTAX, line,
                             "the status \"%.*s\" is neither \"published\" nor \"draft\"",
                             (int)status.len, status.ptr);
    return SC_OK;
}
