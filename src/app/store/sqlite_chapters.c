/* Chapters, and whole stories at once. */
#include "sqlite.h"

#include "base/clock.h"

/* Ids don't tell what came first, `seq` does: a parent was there before its children. */
#define COLUMNS                                                                                    \
    "c.id, c.story_id, c.slug, c.title, p.slug, c.author_id, users.name, c.position, c.words,"     \
    " c.created_ms, c.updated_ms, c.untold"
#define FROM_CHAPTERS                                                                              \
    " FROM chapters c JOIN users ON users.id = c.author_id"                                        \
    " LEFT JOIN chapters p ON p.id = c.parent_id "

static struct chapter read_chapter(struct work *w, sqlite3_stmt *row, sc__arena *arena)
{
    return (struct chapter){
        .id = sql_text(w, row, 0, arena),
        .story_id = sql_text(w, row, 1, arena),
        .slug = sql_text(w, row, 2, arena),
        .title = sql_text(w, row, 3, arena),
        .parent_slug = sql_text(w, row, 4, arena),
        .author_id = sql_text(w, row, 5, arena),
        .author_name = sql_text(w, row, 6, arena),
        .position = sql_number(row, 7),
        .words = sql_number(row, 8),
        .created_ms = sql_number(row, 9),
        .updated_ms = sql_number(row, 10),
        .untold = sql_number(row, 11) != 0,
    };
}

static sc_err find(struct store *store, sc_slice story_id, sc_slice slug, sc__arena *arena,
                   struct chapter **ret_chapter, sc_reason *ret_reason)
{
    struct chapter *chapter = NULL;
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row =
        sql(&w, "SELECT " COLUMNS ", c.content" FROM_CHAPTERS "WHERE c.story_id = ? AND c.slug = ?",
            TEXT(story_id), TEXT(slug));
    if (sql_row(&w, row)) {
        chapter = sc__arena_alloc(arena, sizeof(*chapter));
        if (chapter) {
            *chapter = read_chapter(&w, row, arena);
            chapter->content = sql_text(&w, row, 12, arena);
        } else {
            sql_fail(&w, SC_ENOMEM, "out of memory");
        }
    }
    err = sql_end(&w);
    if (!err)
        *ret_chapter = chapter;
    return err;
}

static sc_err end_with_list(struct work *w, sqlite3_stmt *row, sc__arena *arena,
                            struct chapters *ret_chapters)
{
    struct chapters list = {NULL, 0};
    sc_err err;

    while (sql_row(w, row)) {
        list.items = sql_list_grow(w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = read_chapter(w, row, arena);
    }
    err = sql_end(w);
    if (!err)
        *ret_chapters = list;
    return err;
}

static sc_err list(struct store *store, sc_slice story_id, sc__arena *arena,
                   struct chapters *ret_chapters, sc_reason *ret_reason)
{
    struct work w;

    sql_read(&w, store, ret_reason);
    return end_with_list(&w,
                         sql(&w,
                             "SELECT " COLUMNS FROM_CHAPTERS "WHERE c.story_id = ? ORDER BY c.seq",
                             TEXT(story_id)),
                         arena, ret_chapters);
}

static sc_err list_untold(struct store *store, int64_t limit, sc__arena *arena,
                          struct chapters *ret_chapters, sc_reason *ret_reason)
{
    struct work w;

    sql_read(&w, store, ret_reason);
    return end_with_list(
        &w,
        sql(&w, "SELECT " COLUMNS FROM_CHAPTERS "WHERE c.untold = 1 ORDER BY c.seq LIMIT ?",
            NUMBER(limit)),
        arena, ret_chapters);
}

static sc_err mark_told(struct store *store, sc_slice id, sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    sql_run(&w, "UPDATE chapters SET untold = 0 WHERE id = ?", TEXT(id));
    return sql_end(&w);
}

static int64_t count_words(sc_slice text)
{
    bool inside = false;
    int64_t words = 0;

    for (size_t i = 0; i < text.len; i++) {
        bool space = text.ptr[i] == ' ' || (text.ptr[i] >= '\t' && text.ptr[i] <= '\r');

        words += !space && !inside;
        inside = !space;
    }
    return words;
}

/* The id of the chapter that `slug` names in the story; absent if there is none, or no slug. */
static sc_slice find_parent(struct work *w, sc_slice story_id, sc_slice slug, sc__arena *arena)
{
    sqlite3_stmt *row;

    if (!slug.ptr)
        return slug;
    row = sql(w, "SELECT id FROM chapters WHERE story_id = ? AND slug = ?", TEXT(story_id),
              TEXT(slug));
    if (sql_row(w, row))
        return sql_text(w, row, 0, arena);
    sql_fail(w, SC_EPARENT, "the story has no chapter \"%.*s\" to continue from", (int)slug.len,
             slug.ptr);
    return (sc_slice){NULL, 0};
}

static int64_t next_position(struct work *w, sc_slice story_id, sc_slice parent_id)
{
    sqlite3_stmt *row =
        sql(w, "SELECT count(*) FROM chapters WHERE story_id = ? AND parent_id IS ?",
            TEXT(story_id), TEXT(parent_id));

    return sql_row(w, row) ? sql_number(row, 0) : 0;
}

static void insert_in(struct work *w, struct chapter *chapter, sc__arena *arena)
{
    sc_slice parent_id = find_parent(w, chapter->story_id, chapter->parent_slug, arena);

    sql_make_id(w, &chapter->id, arena);
    if (!chapter->created_ms)
        chapter->created_ms = sc__wall_ms();
    if (!chapter->updated_ms)
        chapter->updated_ms = chapter->created_ms;
    chapter->position = next_position(w, chapter->story_id, parent_id);
    chapter->words = count_words(chapter->content);
    sql_run(w,
            "INSERT INTO chapters(id, story_id, slug, title, content, parent_id, author_id,"
            " position, words, created_ms, updated_ms, untold)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            TEXT(chapter->id), TEXT(chapter->story_id), TEXT(chapter->slug), TEXT(chapter->title),
            TEXT(chapter->content), TEXT(parent_id), TEXT(chapter->author_id),
            NUMBER(chapter->position), NUMBER(chapter->words), NUMBER(chapter->created_ms),
            NUMBER(chapter->updated_ms), NUMBER(chapter->untold));
    sql_explain(w, SC_EEXIST, SC_EEXIST, "the story has a chapter \"%.*s\" already",
                (int)chapter->slug.len, chapter->slug.ptr);
}

static sc_err insert(struct store *store, struct chapter *chapter, sc__arena *arena,
                     sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    if (!sql_row(&w, sql(&w, "SELECT 1 FROM stories WHERE id = ?", TEXT(chapter->story_id))))
        sql_fail(&w, SC_ENOTFOUND, "there is no story with the id \"%.*s\"",
                 (int)chapter->story_id.len, chapter->story_id.ptr);
    if (!sql_row(&w, sql(&w, "SELECT 1 FROM users WHERE id = ?", TEXT(chapter->author_id))))
        sql_fail(&w, SC_EINVAL, "the author \"%.*s\" is no user", (int)chapter->author_id.len,
                 chapter->author_id.ptr);
    insert_in(&w, chapter, arena);
    return sql_end(&w);
}

static void insert_chapters(struct work *w, struct story_bundle *bundle, store_progress progress,
                            void *user, sc__arena *arena)
{
    for (size_t i = 0; i < bundle->chapters.count && !w->err; i++) {
        struct chapter *chapter = &bundle->chapters.items[i];

        chapter->story_id = bundle->story.id;
        chapter->author_id = bundle->author.id;
        insert_in(w, chapter, arena);
        if (progress && !w->err)
            progress(user, i + 1, bundle->chapters.count);
    }
}

static void insert_members(struct work *w, struct story_bundle *bundle, sc__arena *arena)
{
    for (size_t i = 0; i < bundle->collaborators.count && !w->err; i++) {
        struct member *member = &bundle->collaborators.items[i];

        sqlite_user_put(w, &member->user, arena, NULL);
        sqlite_collaborator_put(w, bundle->story.id, member->user.id, member->role);
    }
    for (size_t i = 0; i < bundle->followers.count && !w->err; i++) {
        struct member *member = &bundle->followers.items[i];

        sqlite_user_put(w, &member->user, arena, NULL);
        sqlite_follower_add(w, bundle->story.id, member->user.id);
    }
}

static sc_err insert_bundle(struct store *store, struct story_bundle *bundle,
                            store_progress progress, void *user, sc__arena *arena,
                            sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    sqlite_user_put(&w, &bundle->author, arena, NULL);
    bundle->story.author_id = bundle->author.id;
    sqlite_story_insert(&w, &bundle->story, arena);
    insert_chapters(&w, bundle, progress, user, arena);
    insert_members(&w, bundle, arena);
    return sql_end(&w);
}

const struct chapters_ops sqlite_chapters = {find,        list,      insert,
                                             list_untold, mark_told, insert_bundle};
