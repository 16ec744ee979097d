/* Stories in our JSON format (docs/story-format.md). */
#include "source.h"

#include <stdio.h>

#include "base/json.h"

/* Where in the file: "chapters[3]". */
struct place {
    const struct source *source;
    char name[64];
};

static sc_err refuse(const struct place *place, const char *what)
{
    return source_refuse(place->source, SC_ESYNTAX, 0, "%s %s", place->name, what);
}

/* Nothing is passed over in silence: a member that is spelt wrongly would be lost. */
static sc_err check_names(const struct place *place, const json_t *object, const char *const *names)
{
    const char *key;
    json_t *value;

    if (!json_is_object(object))
        return refuse(place, "must be an object {…}");
    json_object_foreach((json_t *)object, key, value)
    {
        size_t i = 0;

        while (names[i] && strcmp(names[i], key) != 0)
            i++;
        if (!names[i])
            return source_refuse(place->source, SC_ESYNTAX, 0,
                                 "%s has a member \"%.60s\", which is not known", place->name, key);
    }
    return SC_OK;
}

/* A text, copied; absent when the member is absent or null. */
static sc_err take_text(const struct place *place, const json_t *object, const char *name,
                        sc_slice *ret_text)
{
    const json_t *value = json_object_get(object, name);

    if (!value || json_is_null(value))
        return SC_OK;
    if (!json_is_string(value))
        return source_refuse(place->source, SC_ESYNTAX, 0, "%s: \"%s\" must be a text", place->name,
                             name);
    return source_copy(place->source,
                       (sc_slice){json_string_value(value), json_string_length(value)}, ret_text);
}

static sc_err read_user(const struct place *place, const json_t *object, struct user *user)
{
    sc_err err = take_text(place, object, "name", &user->name);

    if (!err)
        err = take_text(place, object, "email", &user->email);
    if (!err)
        err = take_text(place, object, "clerkId", &user->clerk_id);
    return err;
}

static sc_err read_author(const struct source *source, const json_t *root, struct user *author)
{
    static const char *const names[] = {"name", "email", "clerkId", NULL};
    const struct place place = {source, "\"author\""};
    const json_t *object = json_object_get(root, "author");
    sc_err err;

    if (!object)
        return source_refuse(source, SC_ESYNTAX, 0, "\"author\" is missing");
    err = check_names(&place, object, names);
    return err ? err : read_user(&place, object, author);
}

/* The array `name`; NULL when absent. */
static sc_err find_array(const struct source *source, const json_t *root, const char *name,
                         const json_t **ret_array)
{
    const json_t *array = json_object_get(root, name);

    if (array && !json_is_array(array))
        return source_refuse(source, SC_ESYNTAX, 0, "\"%s\" must be an array […]", name);
    *ret_array = array;
    return SC_OK;
}

static sc_err read_members(const struct source *source, const json_t *root, const char *name,
                           struct members *members)
{
    static const char *const names[] = {"name", "email", "clerkId", "role", NULL};
    const json_t *array = NULL;
    sc_err err = find_array(source, root, name, &array);

    for (size_t i = 0; !err && i < json_array_size(array); i++) {
        const json_t *object = json_array_get(array, i);
        struct place place = {source, ""};
        struct member *member;

        snprintf(place.name, sizeof(place.name), "%s[%zu]", name, i);
        err = check_names(&place, object, names);
        if (!err)
            err = draft_add_member(source, members, &member);
        if (!err)
            err = read_user(&place, object, &member->user);
        if (!err)
            err = take_text(&place, object, "role", &member->role);
    }
    return err;
}

static sc_err read_chapter(const struct place *place, const json_t *object, struct draft *draft)
{
    static const char *const names[] = {"slug", "title", "content", "parent", NULL};
    struct chapter *chapter;
    sc_err err = check_names(place, object, names);

    if (!err)
        err = draft_add_chapter(place->source, draft, 0, &chapter);
    if (!err)
        err = take_text(place, object, "slug", &chapter->slug);
    if (!err)
        err = take_text(place, object, "title", &chapter->title);
    if (!err)
        err = take_text(place, object, "content", &chapter->content);
    if (!err)
        err = take_text(place, object, "parent", &chapter->parent_slug);
    return err;
}

static sc_err read_chapters(const struct source *source, const json_t *root, struct draft *draft)
{
    const json_t *array = NULL;
    sc_err err = find_array(source, root, "chapters", &array);

    for (size_t i = 0; !err && i < json_array_size(array); i++) {
        struct place place = {source, ""};

        snprintf(place.name, sizeof(place.name), "chapters[%zu]", i);
        err = read_chapter(&place, json_array_get(array, i), draft);
    }
    return err;
}

static sc_err read_tags(const struct place *place, const json_t *root, struct draft *draft)
{
    const json_t *array = NULL;
    sc_err err = find_array(place->source, root, "tags", &array);

    for (size_t i = 0; !err && i < json_array_size(array); i++) {
        const json_t *tag = json_array_get(array, i);

        if (!json_is_string(tag))
            return refuse(place, "has a tag that is not a text");
        err = draft_add_tag(place->source, draft, 0,
                            (sc_slice){json_string_value(tag), json_string_length(tag)});
    }
    return err;
}

static sc_err read_status(const struct place *place, const json_t *root, struct draft *draft)
{
    const json_t *featured = json_object_get(root, "featured");
    sc_slice status = SC_S("published");
    sc_err err = take_text(place, root, "status", &status);

    if (!err)
        err = draft_set_status(place->source, draft, 0, status);
    if (!err && featured && !json_is_boolean(featured))
        err = refuse(place, "has a \"featured\" that is neither true nor false");
    draft->bundle.story.featured = json_is_true(featured);
    return err;
}

static sc_err read_story(const struct source *source, const json_t *root, struct draft *draft)
{
    static const char *const names[] = {"slug",          "title",     "summary", "tags",
                                        "status",        "featured",  "author",  "chapters",
                                        "collaborators", "followers", NULL};
    const struct place place = {source, "the story"};
    struct story *story = &draft->bundle.story;
    sc_err err = check_names(&place, root, names);

    if (!err)
        err = take_text(&place, root, "slug", &story->slug);
    if (!err)
        err = take_text(&place, root, "title", &story->title);
    if (!err)
        err = take_text(&place, root, "summary", &story->summary);
    if (!err)
        err = read_tags(&place, root, draft);
    if (!err)
        err = read_status(&place, root, draft);
    if (!err)
        err = read_author(source, root, &draft->bundle.author);
    if (!err)
        err = read_chapters(source, root, draft);
    if (!err)
        err = read_members(source, root, "collaborators", &draft->bundle.collaborators);
    if (!err)
        err = read_members(source, root, "followers", &draft->bundle.followers);
    return err;
}

sc_err import_read_json(const struct source *source, struct draft *ret_draft)
{
    AUTO_JSON *root = NULL;
    sc_err err = sc__json_parse(source->text, &root, source->ret_reason);

    if (err)
        return source_place(source, err, 0);
    return read_story(source, root, ret_draft);
}
