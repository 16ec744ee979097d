/* Stories in Markdown (docs/story-format.md): `# Title`, then chapters, `## Title {#slug
 * parent=other}`.
 *
 * cmark-gfm tells what is a heading (and not, say, a line in a block of code); a chapter's text
 * is taken from the file as it stands. */
#include "source.h"

#include <cmark-gfm.h>

#include "base/str.h"
#include "front_matter.h"

struct reader {
    const struct source *source;
    struct draft *draft;
    sc_slice body;
    size_t first_line; /* of the body, in the file */
    const char *at;    /* begin of line `line` of the body, counted from 1 */
    size_t line;
    const char *text_begin; /* of the chapter, or of what stands before the first */
};

/* The begin of a line of the body; asked for in rising order. */
static const char *find_line(struct reader *r, size_t line)
{
    const char *end = r->body.ptr + r->body.len;

    while (r->line < line && r->at < end) {
        const char *newline = memchr(r->at, '\n', (size_t)(end - r->at));

        r->at = newline ? newline + 1 : end;
        r->line++;
    }
    return r->at;
}

static sc_slice trim(const char *begin, const char *end)
{
    while (begin < end && strchr(" \t\n", *begin))
        begin++;
    while (end > begin && strchr(" \t\n", end[-1]))
        end--;
    return (sc_slice){begin, (size_t)(end - begin)};
}

/* Ends what stood before a heading, or before the end: the text of the last chapter. */
static sc_err end_text(struct reader *r, const char *end, size_t line)
{
    struct story_bundle *bundle = &r->draft->bundle;
    sc_slice text = trim(r->text_begin, end);

    if (bundle->chapters.count) {
        bundle->chapters.items[bundle->chapters.count - 1].content = text;
        return SC_OK;
    }
    if (!text.len)
        return SC_OK;
    if (bundle->story.summary.ptr)
        return source_refuse(r->source, SC_ESYNTAX, line,
                             "there is text before the first chapter, \"## …\", and a summary in "
                             "the front matter too: leave one of them");
    bundle->story.summary = text;
    return SC_OK;
}

/* The text of a heading without its marks (`*`, links, …). */
static sc_err heading_text(const struct source *source, cmark_node *heading, sc_slice *ret_text)
{
    AUTO_STR text = STR_MAX(4096);
    cmark_iter *iter = cmark_iter_new(heading);
    cmark_event_type event;

    while ((event = cmark_iter_next(iter)) != CMARK_EVENT_DONE) {
        cmark_node_type type = cmark_node_get_type(cmark_iter_get_node(iter));

        if (event == CMARK_EVENT_ENTER && (type == CMARK_NODE_TEXT || type == CMARK_NODE_CODE))
            sc__str_text(&text, cmark_node_get_literal(cmark_iter_get_node(iter)));
    }
    cmark_iter_free(iter);
    if (text.err)
        return source_refuse(source, SC_ETOOBIG, 0, "a heading is too long");
    return source_copy(source, sc__str_slice(&text), ret_text);
}

static sc_err read_attribute(const struct reader *r, size_t line, sc_slice word,
                             struct chapter *chapter, bool *ret_begins)
{
    static const sc_slice parent = {"parent=", 7};

    if (word.len > 1 && word.ptr[0] == '#') {
        chapter->slug = (sc_slice){word.ptr + 1, word.len - 1};
        return SC_OK;
    }
    if (sc_slice_eq(word, SC_S("begin"))) {
        *ret_begins = true;
        return SC_OK;
    }
    if (word.len > parent.len && memcmp(word.ptr, parent.ptr, parent.len) == 0) {
        chapter->parent_slug = (sc_slice){word.ptr + parent.len, word.len - parent.len};
        return SC_OK;
    }
    return source_refuse(r->source, SC_ESYNTAX, line,
                         "\"%.*s\" is not known; a heading may end in {#slug parent=other} or "
                         "{#slug begin}",
                         word.len > 60 ? 60 : (int)word.len, word.ptr);
}

/* Takes `{…}` off the end of the title. */
static sc_err read_attributes(const struct reader *r, size_t line, struct chapter *chapter,
                              bool *ret_begins)
{
    sc_slice title = trim(chapter->title.ptr, chapter->title.ptr + chapter->title.len);
    const char *open = title.len ? memrchr(title.ptr, '{', title.len) : NULL, *end;
    sc_err err = SC_OK;

    chapter->title = title;
    if (!open || title.ptr[title.len - 1] != '}')
        return SC_OK;
    end = title.ptr + title.len - 1;
    chapter->title = trim(title.ptr, open);
    for (const char *at = open + 1; !err && at < end;) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        sc_slice word = {at, (size_t)((space ? space : end) - at)};

        if (word.len)
            err = read_attribute(r, line, word, chapter, ret_begins);
        at += word.len + 1;
    }
    return err;
}

/* What a chapter continues, unless it says so: the one before it in the file. */
static void continue_previous(struct draft *draft)
{
    struct chapters *chapters = &draft->bundle.chapters;
    struct chapter *chapter = &chapters->items[chapters->count - 1];

    if (chapters->count > 1)
        chapter->parent_slug = chapter[-1].slug;
}

static sc_err begin_chapter(struct reader *r, cmark_node *heading, size_t line)
{
    struct chapter *chapter;
    bool begins = false;
    sc_err err = draft_add_chapter(r->source, r->draft, line, &chapter);

    if (!err)
        err = heading_text(r->source, heading, &chapter->title);
    if (!err)
        err = read_attributes(r, line, chapter, &begins);
    if (err)
        return err;
    if (!chapter->slug.ptr)
        chapter->slug = slug_from_title(chapter->title, r->source->arena);
    if (!begins && !chapter->parent_slug.ptr)
        continue_previous(r->draft);
    return SC_OK;
}

static sc_err take_title(struct reader *r, cmark_node *heading, size_t line)
{
    struct story *story = &r->draft->bundle.story;
    sc_slice title = {NULL, 0};
    sc_err err;

    if (r->draft->bundle.chapters.count || r->draft->heading_line)
        return source_refuse(r->source, SC_ESYNTAX, line,
                             "a second title, \"# …\": a file holds one story, whose chapters are "
                             "\"## …\"");
    r->draft->heading_line = line;
    err = heading_text(r->source, heading, &title);
    if (err || story->title.ptr)
        return err;
    r->draft->title_line = line;
    story->title = title;
    return SC_OK;
}

/* Whether the line is one of `#`s, and not one that is underlined. */
static bool has_marks(const char *line)
{
    while (*line == ' ')
        line++;
    return *line == '#';
}

static sc_err read_heading(struct reader *r, cmark_node *heading)
{
    size_t line = (size_t)cmark_node_get_start_line(heading);
    int level = cmark_node_get_heading_level(heading);
    const char *begin = find_line(r, line);
    size_t line_in_file = r->first_line + line - 1;
    sc_err err;

    if (level > 2 || begin >= r->body.ptr + r->body.len || !has_marks(begin))
        return SC_OK;
    err = end_text(r, begin, line_in_file);
    if (err)
        return err;
    r->text_begin = find_line(r, line + 1);
    return level == 1 ? take_title(r, heading, line_in_file)
                      : begin_chapter(r, heading, line_in_file);
}

static sc_err read_body(struct reader *r)
{
    cmark_node *document = cmark_parse_document(r->body.ptr, r->body.len, CMARK_OPT_DEFAULT);
    sc_err err = SC_OK;

    if (!document)
        return source_refuse(r->source, SC_ENOMEM, 0, "out of memory");
    for (cmark_node *node = cmark_node_first_child(document); node && !err;
         node = cmark_node_next(node))
        if (cmark_node_get_type(node) == CMARK_NODE_HEADING)
            err = read_heading(r, node);
    if (!err)
        err = end_text(r, r->body.ptr + r->body.len, r->first_line);
    cmark_node_free(document);
    return err;
}

/* A copy in which every line ends with '\n', whatever the file's line ends. */
static sc_err unify_lines(const struct source *source, sc_slice *ret_text)
{
    char *out = sc__arena_alloc(source->arena, source->text.len + 1);
    size_t len = 0;

    if (!out)
        return source_refuse(source, SC_ENOMEM, 0, "out of memory");
    for (size_t i = 0; i < source->text.len; i++) {
        char c = source->text.ptr[i];

        if (c == '\r' && i + 1 < source->text.len && source->text.ptr[i + 1] == '\n')
            continue;
        out[len++] = c == '\r' ? '\n' : c;
    }
    out[len] = '\0';
    *ret_text = (sc_slice){out, len};
    return SC_OK;
}

sc_err import_read_markdown(const struct source *given, struct draft *ret_draft)
{
    struct source source = *given;
    struct reader r = {.source = &source, .draft = ret_draft, .line = 1};
    sc_err err = unify_lines(given, &source.text);

    ret_draft->bundle.story.status = PUBLISHED;
    if (!err)
        err = front_matter_read(&source, ret_draft, &r.body, &r.first_line);
    if (err)
        return err;
    r.at = r.text_begin = r.body.ptr;
    return read_body(&r);
}
