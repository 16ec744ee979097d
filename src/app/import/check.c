/* Does what a file says hold together: texts, slugs, and the tree of chapters. */
#include "source.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/str.h"

/* Reasons of checks lack the place; this puts it before them. */
static sc_err placed(const struct source *source, sc_err err, size_t line)
{
    return err ? source_place(source, err, line) : SC_OK;
}

/* Who has no id at Clerk gets one made from the mail address or the name, so that people of the
 * same name are one. */
static sc_err complete_id(const struct source *source, const char *what, struct user *user)
{
    sc_slice slug = slug_from_title(user->name, source->arena);
    char *id;

    if (user->clerk_id.ptr)
        return line_check(what, user->clerk_id, NAME_MAX_BYTES, source->ret_reason);
    if (!user->email.ptr && !slug.len)
        return sc__because(source->ret_reason, SC_EINVAL,
                           "%s \"%.*s\" needs a mail address or an id, to know them again", what,
                           (int)user->name.len, user->name.ptr);
    if (user->email.ptr)
        slug = user->email;
    id = sc__arena_printf(source->arena, "import:%.*s", (int)slug.len, slug.ptr);
    if (!id)
        return sc__because(source->ret_reason, SC_ENOMEM, "out of memory");
    user->clerk_id = sc_slice_of(id);
    return SC_OK;
}

static sc_err check_user(const struct source *source, const char *what, struct user *user)
{
    sc_err err = line_check(what, user->name, NAME_MAX_BYTES, source->ret_reason);

    if (!err && user->email.ptr)
        err = email_check("the mail address", user->email, source->ret_reason);
    if (!err)
        err = complete_id(source, what, user);
    return placed(source, err, 0);
}

static sc_err check_members(const struct source *source, const char *what, struct members *members,
                            bool with_role)
{
    for (size_t i = 0; i < members->count; i++) {
        struct member *member = &members->items[i];
        sc_err err = check_user(source, what, &member->user);

        if (err)
            return err;
        if (with_role && !member->role.ptr)
            member->role = SC_S("collaborator");
        if (with_role)
            err = placed(source,
                         line_check("a collaborator's role", member->role, NAME_MAX_BYTES,
                                    source->ret_reason),
                         0);
        if (err)
            return err;
    }
    return SC_OK;
}

/* As the store keeps them: a JSON array. */
static sc_err write_tags(const struct source *source, struct draft *draft)
{
    AUTO_STR json = STR_MAX(TAGS_MAX * (6 * TAG_MAX + 3) + 2);

    sc__str_char(&json, '[');
    for (size_t i = 0; i < draft->tag_count; i++) {
        if (i)
            sc__str_char(&json, ',');
        sc__str_json(&json, draft->tags[i]);
    }
    sc__str_char(&json, ']');
    if (json.err)
        return source_refuse(source, json.err, 0, "the tags are too long");
    return source_copy(source, sc__str_slice(&json), &draft->bundle.story.tags);
}

static sc_err check_story(const struct source *source, struct draft *draft)
{
    struct story *story = &draft->bundle.story;
    sc_reason *reason = source->ret_reason;
    sc_err err = line_check("the story's title", story->title, TITLE_MAX, reason);

    if (!err && story->summary.ptr)
        err = text_check("the summary", story->summary, SUMMARY_MAX, reason);
    if (!err && !story->slug.ptr)
        story->slug = slug_from_title(story->title, source->arena);
    if (!err && !story->slug.len)
        err = sc__because(reason, SC_EINVAL,
                          "the title \"%.*s\" gives no slug: set one, in letters a-z and digits",
                          (int)story->title.len, story->title.ptr);
    if (!err)
        err = slug_check("the story's slug", story->slug, reason);
    err = placed(source, err, draft->title_line);
    return err ? err : write_tags(source, draft);
}

static sc_err check_chapter(const struct source *source, struct chapter *chapter, size_t line,
                            size_t number)
{
    sc_reason *reason = source->ret_reason;
    char what[64];
    sc_err err;

    snprintf(what, sizeof(what), "the title of chapter %zu", number);
    err = line_check(what, chapter->title, TITLE_MAX, reason);
    if (!err && !chapter->slug.ptr)
        chapter->slug = slug_from_title(chapter->title, source->arena);
    if (!err && !chapter->slug.len)
        err = sc__because(reason, SC_EINVAL,
                          "chapter %zu, \"%.*s\": its title gives no slug: set one", number,
                          (int)chapter->title.len, chapter->title.ptr);
    snprintf(what, sizeof(what), "the slug of chapter %zu", number);
    if (!err)
        err = slug_check(what, chapter->slug, reason);
    snprintf(what, sizeof(what), "the text of chapter %zu", number);
    if (!err)
        err = text_check(what, chapter->content, CONTENT_MAX, reason);
    return placed(source, err, line);
}

/* A chapter's place in the list, found by its slug. */
struct entry {
    sc_slice slug;
    size_t at;
};

static int compare_slugs(sc_slice a, sc_slice b)
{
    int order = memcmp(a.ptr, b.ptr, a.len < b.len ? a.len : b.len);

    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    int order = compare_slugs(x->slug, y->slug);

    return order ? order : (x->at > y->at) - (x->at < y->at);
}

static int compare_slug_to_entry(const void *slug, const void *entry)
{
    return compare_slugs(*(const sc_slice *)slug, ((const struct entry *)entry)->slug);
}

enum { ROOT = -1 };

/* The tree while it is checked; all lists are by place in the file. */
struct tree {
    const struct source *source;
    const struct draft *draft;
    size_t count;
    struct entry *by_slug;
    ptrdiff_t *parent; /* ROOT: none */
    size_t *depth;     /* 0: not known yet; the beginning has 1 */
};

static sc_slice slug_at(const struct tree *t, size_t at)
{
    return t->draft->bundle.chapters.items[at].slug;
}

static sc_err find_twins(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++)
        t->by_slug[i] = (struct entry){slug_at(t, i), i};
    qsort(t->by_slug, t->count, sizeof(*t->by_slug), compare_entries);
    for (size_t i = 1; i < t->count; i++)
        if (sc_slice_eq(t->by_slug[i - 1].slug, t->by_slug[i].slug))
            return source_refuse(t->source, SC_EINVAL, t->draft->lines[t->by_slug[i].at],
                                 "chapters %zu and %zu have the same slug \"%.*s\": give one of "
                                 "them another",
                                 t->by_slug[i - 1].at + 1, t->by_slug[i].at + 1,
                                 (int)t->by_slug[i].slug.len, t->by_slug[i].slug.ptr);
    return SC_OK;
}

static sc_err find_parents(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        sc_slice parent = t->draft->bundle.chapters.items[i].parent_slug;
        const struct entry *entry;

        t->parent[i] = ROOT;
        if (!parent.ptr)
            continue;
        entry = bsearch(&parent, t->by_slug, t->count, sizeof(*t->by_slug), compare_slug_to_entry);
        if (!entry)
            return source_refuse(
                t->source, SC_EINVAL, t->draft->lines[i],
                "chapter \"%.*s\" continues \"%.*s\", but no chapter has that slug",
                (int)slug_at(t, i).len, slug_at(t, i).ptr, (int)parent.len, parent.ptr);
        t->parent[i] = (ptrdiff_t)entry->at;
    }
    return SC_OK;
}

/* Walks up from each chapter to the first whose depth is known, then down again. A walk that is
 * longer than the list goes round. */
static sc_err find_depths(struct tree *t)
{
    for (size_t i = 0; i < t->count; i++) {
        size_t steps = 0;
        ptrdiff_t at = (ptrdiff_t)i;
        size_t depth;

        while (at != ROOT && !t->depth[at] && steps <= t->count) {
            steps++;
            at = t->parent[at];
        }
        if (steps > t->count)
            return source_refuse(t->source, SC_EINVAL, t->draft->lines[i],
                                 "chapter \"%.*s\" continues itself, by way of its parents: they "
                                 "go in a circle",
                                 (int)slug_at(t, i).len, slug_at(t, i).ptr);
        depth = steps + (at == ROOT ? 0 : t->depth[at]);
        for (at = (ptrdiff_t)i; at != ROOT && !t->depth[at]; at = t->parent[at])
            t->depth[at] = depth--;
    }
    return SC_OK;
}

/* Orders by depth and keeps the file's order within one: a parent is one less deep than its
 * children, and siblings are equally deep. */
static void order_by_depth(const struct tree *t, struct chapter *ordered, size_t *first_of_depth)
{
    const struct chapter *items = t->draft->bundle.chapters.items;

    for (size_t i = 0; i < t->count; i++)
        first_of_depth[t->depth[i] + 1]++;
    for (size_t depth = 1; depth <= t->count; depth++)
        first_of_depth[depth + 1] += first_of_depth[depth];
    for (size_t i = 0; i < t->count; i++)
        ordered[first_of_depth[t->depth[i]]++] = items[i];
}

static sc_err check_tree(const struct source *source, struct draft *draft)
{
    struct chapters *chapters = &draft->bundle.chapters;
    size_t count = chapters->count;
    struct tree t = {
        .source = source,
        .draft = draft,
        .count = count,
        .by_slug = sc__arena_alloc(source->arena, count * sizeof(*t.by_slug)),
        .parent = sc__arena_alloc(source->arena, count * sizeof(*t.parent)),
        .depth = sc__arena_zalloc(source->arena, count * sizeof(*t.depth)),
    };
    struct chapter *ordered = sc__arena_alloc(source->arena, count * sizeof(*ordered));
    size_t *first = sc__arena_zalloc(source->arena, (count + 2) * sizeof(*first));
    sc_err err;

    if (!t.by_slug || !t.parent || !t.depth || !ordered || !first)
        return source_refuse(source, SC_ETOOBIG, 0,
                             "the story needs more memory than an import "
                             "may use");
    err = find_twins(&t);
    if (!err)
        err = find_parents(&t);
    if (!err)
        err = find_depths(&t);
    if (err)
        return err;
    order_by_depth(&t, ordered, first);
    chapters->items = ordered;
    return SC_OK;
}

sc_err draft_check(const struct source *source, struct draft *draft)
{
    struct story_bundle *bundle = &draft->bundle;
    sc_err err = check_story(source, draft);

    if (!err)
        err = check_user(source, "the author", &bundle->author);
    if (!err)
        err = check_members(source, "a collaborator", &bundle->collaborators, true);
    if (!err)
        err = check_members(source, "a follower", &bundle->followers, false);
    if (!err && !bundle->chapters.count)
        err = source_refuse(source, SC_EINVAL, 0, "the story has no chapters");
    for (size_t i = 0; !err && i < bundle->chapters.count; i++)
        err = check_chapter(source, &bundle->chapters.items[i], draft->lines[i], i + 1);
    return err ? err : check_tree(source, draft);
}
