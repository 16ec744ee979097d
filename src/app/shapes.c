#include "shapes.h"

#include "base/iso8601.h"

#include "chapter_tree.h"

/* A member's name, after a comma unless the object was just opened. */
static void name(sc__str *out, const char *key)
{
    char last = out->len ? out->ptr[out->len - 1] : '\0';

    if (last != '{')
        sc__str_char(out, ',');
    sc__str_json(out, sc_slice_of(key));
    sc__str_char(out, ':');
}

static void text(sc__str *out, const char *key, sc_slice value)
{
    name(out, key);
    if (value.ptr)
        sc__str_json(out, value);
    else
        sc__str_text(out, "null");
}

static void number(sc__str *out, const char *key, int64_t value)
{
    name(out, key);
    sc__str_int(out, value);
}

static void flag(sc__str *out, const char *key, bool value)
{
    name(out, key);
    sc__str_text(out, value ? "true" : "false");
}

static void date(sc__str *out, const char *key, int64_t ms)
{
    char date_text[SC__ISO8601_LEN + 1];
    size_t len = sc__iso8601_text(ms, true, date_text);

    text(out, key, ms ? (sc_slice){date_text, len} : (sc_slice){NULL, 0});
}

/* JSON from the store, where it was checked. */
static void json(sc__str *out, const char *key, sc_slice value)
{
    name(out, key);
    sc__str_append(out, value.len ? value : SC_S("null"));
}

static void person(sc__str *out, const char *key, sc_slice id, sc_slice person_name)
{
    name(out, key);
    sc__str_char(out, '{');
    text(out, "id", id);
    text(out, "name", person_name);
    sc__str_char(out, '}');
}

static void begin_list(sc__str *out, const char *key)
{
    name(out, key);
    sc__str_char(out, '[');
}

static void next_item(sc__str *out)
{
    if (out->len && out->ptr[out->len - 1] != '[')
        sc__str_char(out, ',');
}

static void story_members(sc__str *out, const struct story *story)
{
    text(out, "id", story->id);
    text(out, "slug", story->slug);
    text(out, "title", story->title);
    text(out, "summary", story->summary);
    json(out, "tags", story->tags);
    person(out, "author", story->author_id, story->author_name);
    text(out, "status", story->status == PUBLISHED ? SC_S("published") : SC_S("draft"));
    flag(out, "featured", story->featured);
    number(out, "chapters", story->chapters);
    number(out, "followers", story->followers);
    date(out, "createdAt", story->created_ms);
    date(out, "publishedAt", story->published_ms);
    date(out, "updatedAt", story->updated_ms);
}

void story_shape(sc__str *out, const struct story *story)
{
    sc__str_char(out, '{');
    story_members(out, story);
    sc__str_char(out, '}');
}

void stories_shape(sc__str *out, const struct stories *stories)
{
    sc__str_char(out, '{');
    begin_list(out, "stories");
    for (size_t i = 0; i < stories->count; i++) {
        next_item(out);
        story_shape(out, &stories->items[i]);
    }
    sc__str_text(out, "]}");
}

void overview_shape(sc__str *out, const struct story *story, const struct members *collaborators)
{
    sc__str_char(out, '{');
    story_members(out, story);
    begin_list(out, "collaborators");
    for (size_t i = 0; i < collaborators->count; i++) {
        const struct member *member = &collaborators->items[i];

        next_item(out);
        sc__str_char(out, '{');
        text(out, "id", member->user.id);
        text(out, "name", member->user.name);
        text(out, "role", member->role);
        date(out, "since", member->since_ms);
        sc__str_char(out, '}');
    }
    sc__str_text(out, "]}");
}

static void node(sc__str *out, const struct chapter_tree *tree, size_t at)
{
    const struct chapter *chapter = &tree->chapters->items[at];

    next_item(out);
    sc__str_char(out, '{');
    text(out, "slug", chapter->slug);
    text(out, "title", chapter->title);
    text(out, "parent", chapter->parent_slug);
    number(out, "depth", (int64_t)tree->nodes[at].depth);
    person(out, "author", chapter->author_id, chapter->author_name);
    number(out, "words", chapter->words);
    date(out, "createdAt", chapter->created_ms);
    begin_list(out, "children");
    for (size_t child = tree->nodes[at].first_child; child != NO_CHAPTER;
         child = tree->nodes[child].next_sibling) {
        next_item(out);
        sc__str_json(out, tree->chapters->items[child].slug);
    }
    sc__str_text(out, "]}");
}

void tree_shape(sc__str *out, const struct story *story, const struct chapters *chapters)
{
    struct chapter_tree tree;
    sc_err err = chapter_tree_init(&tree, chapters);

    if (err) {
        out->err = out->err ? out->err : err;
        return;
    }
    sc__str_char(out, '{');
    text(out, "slug", story->slug);
    text(out, "title", story->title);
    begin_list(out, "chapters");
    for (size_t at = tree.first; at != NO_CHAPTER; at = chapter_tree_next(&tree, at))
        node(out, &tree, at);
    sc__str_text(out, "]}");
    chapter_tree_release(&tree);
}

void chapter_shape(sc__str *out, const struct story *story, const struct chapter *chapter,
                   const struct chapters *all)
{
    sc__str_char(out, '{');
    text(out, "id", chapter->id);
    text(out, "slug", chapter->slug);
    text(out, "story", story->slug);
    text(out, "title", chapter->title);
    text(out, "content", chapter->content);
    text(out, "parent", chapter->parent_slug);
    begin_list(out, "children");
    for (size_t i = 0; i < all->count; i++) {
        if (!all->items[i].parent_slug.ptr ||
            !sc_slice_eq(all->items[i].parent_slug, chapter->slug))
            continue;
        next_item(out);
        sc__str_char(out, '{');
        text(out, "slug", all->items[i].slug);
        text(out, "title", all->items[i].title);
        sc__str_char(out, '}');
    }
    sc__str_char(out, ']');
    person(out, "author", chapter->author_id, chapter->author_name);
    number(out, "position", chapter->position);
    number(out, "words", chapter->words);
    date(out, "createdAt", chapter->created_ms);
    date(out, "updatedAt", chapter->updated_ms);
    sc__str_char(out, '}');
}

void user_shape(sc__str *out, const struct user *user)
{
    sc__str_char(out, '{');
    text(out, "id", user->id);
    text(out, "clerkId", user->clerk_id);
    text(out, "name", user->name);
    date(out, "createdAt", user->created_ms);
    sc__str_char(out, '}');
}

void notification_shape(sc__str *out, const struct notification *notification)
{
    sc__str_char(out, '{');
    text(out, "id", notification->id);
    text(out, "userId", notification->user_id);
    text(out, "type", notification->type);
    text(out, "title", notification->title);
    text(out, "message", notification->message);
    text(out, "actionUrl", notification->action_url);
    json(out, "metadata", notification->metadata);
    date(out, "createdAt", notification->created_ms);
    date(out, "readAt", notification->read_ms);
    sc__str_char(out, '}');
}

void notifications_shape(sc__str *out, const struct notifications *notifications)
{
    sc__str_char(out, '{');
    begin_list(out, "notifications");
    for (size_t i = 0; i < notifications->count; i++) {
        next_item(out);
        notification_shape(out, &notifications->items[i]);
    }
    sc__str_text(out, "]}");
}

void readings_shape(sc__str *out, sc_slice story_slug, const struct readings *readings)
{
    sc__str_char(out, '{');
    text(out, "story", story_slug);
    begin_list(out, "chapters");
    for (size_t i = 0; i < readings->count; i++) {
        next_item(out);
        sc__str_char(out, '{');
        text(out, "slug", readings->items[i].chapter_slug);
        text(out, "title", readings->items[i].chapter_title);
        date(out, "readAt", readings->items[i].read_ms);
        sc__str_char(out, '}');
    }
    sc__str_text(out, "]}");
}

void autosave_shape(sc__str *out, const struct autosave *autosave)
{
    sc__str_char(out, '{');
    text(out, "chapter", autosave->chapter);
    text(out, "title", autosave->title);
    text(out, "content", autosave->content);
    date(out, "savedAt", autosave->saved_ms);
    sc__str_char(out, '}');
}
