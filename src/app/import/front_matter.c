#include "front_matter.h"

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

static sc_slice trim(sc_slice text)
{
    while (text.len && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

/* Cuts the first line, without its end, off `rest`. */
static sc_slice next_line(sc_slice *rest)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    sc_slice line = {rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    size_t used = line.len + (end != NULL);

    rest->ptr += used;
    rest->len -= used;
    return line;
}

/* Cuts what stands between `open` and `close` out of a person, "Ada <ada@example.org>"; `text`
 * keeps what is before. Absent when there is no `open`. */
static sc_err cut_part(const struct source *source, size_t line, char open, char close,
                       sc_slice *text, sc_slice *ret_part)
{
    const char *begin = text->len ? memchr(text->ptr, open, text->len) : NULL;
    sc_slice part;

    if (!begin)
        return SC_OK;
    part = (sc_slice){begin + 1, text->len - (size_t)(begin - text->ptr) - 1};
    if (!part.len || part.ptr[part.len - 1] != close)
        return source_refuse(source, SC_ESYNTAX, line,
                             "a '%c' without a '%c': a person is NAME <MAIL> [ID] (ROLE), all but "
                             "the name may be left out",
                             open, close);
    part.len--;
    *text = trim((sc_slice){text->ptr, (size_t)(begin - text->ptr)});
    return source_copy(source, trim(part), ret_part);
}

/* NAME <MAIL> [ID] (ROLE) */
static sc_err read_person(const struct source *source, size_t line, sc_slice text,
                          struct user *user, sc_slice *ret_role)
{
    sc_err err = SC_OK;

    if (ret_role)
        err = cut_part(source, line, '(', ')', &text, ret_role);
    if (!err)
        err = cut_part(source, line, '[', ']', &text, &user->clerk_id);
    if (!err)
        err = cut_part(source, line, '<', '>', &text, &user->email);
    return err ? err : source_copy(source, text, &user->name);
}

static sc_err read_tags(const struct source *source, struct draft *draft, size_t line,
                        sc_slice value)
{
    while (value.len) {
        const char *comma = memchr(value.ptr, ',', value.len);
        size_t len = comma ? (size_t)(comma - value.ptr) : value.len;
        sc_err err = draft_add_tag(source, draft, line, trim((sc_slice){value.ptr, len}));

        if (err)
            return err;
        value.ptr += len + (comma != NULL);
        value.len -= len + (comma != NULL);
    }
    return SC_OK;
}

static sc_err read_featured(const struct source *source, struct draft *draft, size_t line,
                            sc_slice value)
{
    draft->bundle.story.featured = sc_slice_eq(value, SC_S("true"));
    if (draft->bundle.story.featured || sc_slice_eq(value, SC_S("false")))
        return SC_OK;
    return source_refuse(source, SC_ESYNTAX, line, "featured is neither true nor false");
}

static sc_err read_member(const struct source *source, size_t line, sc_slice value,
                          struct members *members, bool with_role)
{
    struct member *member;
    sc_err err = draft_add_member(source, members, &member);

    return err ? err
               : read_person(source, line, value, &member->user, with_role ? &member->role : NULL);
}

static sc_err read_pair(const struct source *source, struct draft *draft, size_t line, sc_slice key,
                        sc_slice value)
{
    struct story_bundle *bundle = &draft->bundle;

    if (sc_slice_eq(key, SC_S("title"))) {
        draft->title_line = line;
        return source_copy(source, value, &bundle->story.title);
    }
    if (sc_slice_eq(key, SC_S("slug")))
        return source_copy(source, value, &bundle->story.slug);
    if (sc_slice_eq(key, SC_S("summary")))
        return source_copy(source, value, &bundle->story.summary);
    if (sc_slice_eq(key, SC_S("tags")))
        return read_tags(source, draft, line, value);
    if (sc_slice_eq(key, SC_S("status")))
        return draft_set_status(source, draft, line, value);
    if (sc_slice_eq(key, SC_S("featured")))
        return read_featured(source, draft, line, value);
    if (sc_slice_eq(key, SC_S("author")))
        return read_person(source, line, value, &bundle->author, NULL);
    if (sc_slice_eq(key, SC_S("collaborator")))
        return read_member(source, line, value, &bundle->collaborators, true);
    if (sc_slice_eq(key, SC_S("follower")))
        return read_member(source, line, value, &bundle->followers, false);
    return source_refuse(source, SC_ESYNTAX, line,
                         "the key \"%.*s\" is not known; there are title, slug, author, summary, "
                         "tags, status, featured, collaborator and follower",
                         key.len > 60 ? 60 : (int)key.len, key.ptr);
}

static sc_err read_line(const struct source *source, struct draft *draft, size_t line,
                        sc_slice text)
{
    const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    size_t before;
    sc_slice value;

    if (!trim(text).len || text.ptr[0] == '#')
        return SC_OK;
    if (!colon)
        return source_refuse(source, SC_ESYNTAX, line, "a line of the front matter is KEY: VALUE");
    before = (size_t)(colon - text.ptr);
    value = trim((sc_slice){colon + 1, text.len - before - 1});
    if (!value.len)
        return source_refuse(source, SC_ESYNTAX, line, "\"%.*s\" has no value",
                             before > 60 ? 60 : (int)before, text.ptr);
    return read_pair(source, draft, line, trim((sc_slice){text.ptr, before}), value);
}

sc_err front_matter_read(const struct source *source, struct draft *draft, sc_slice *ret_body,
                         size_t *ret_line)
{
    static const sc_slice fence = {"---", 3};
    sc_slice rest = source->text, text = next_line(&rest);
    size_t line = 1;

    *ret_body = source->text;
    *ret_line = 1;
    if (!sc_slice_eq(trim(text), fence))
        return SC_OK;
    while (rest.len) {
        sc_err err;

        line++;
        text = next_line(&rest);
        if (sc_slice_eq(trim(text), fence)) {
            *ret_body = rest;
            *ret_line = line + 1;
            return SC_OK;
        }
        err = read_line(source, draft, line, text);
        if (err)
            return err;
    }
    return source_refuse(source, SC_ESYNTAX, 1, "the front matter has no end: a second line ---");
}
