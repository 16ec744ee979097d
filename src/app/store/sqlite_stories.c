/* Stories: lists, search, trending. */
#include "sqlite.h"

#include "base/clock.h"
#include "base/str.h"

#define COLUMNS                                                                                    \
    "stories.id, slug, stories.title, stories.summary, stories.tags, author_id, users.name, "      \
    "status,"                                                                                      \
    " featured, chapters, followers, stories.created_ms, published_ms, stories.updated_ms"
#define FROM_STORIES " FROM stories JOIN users ON users.id = author_id "

static struct story read_story(struct work *w, sqlite3_stmt *row, sc__arena *arena)
{
    return (struct story){
        .id = sql_text(w, row, 0, arena),
        .slug = sql_text(w, row, 1, arena),
        .title = sql_text(w, row, 2, arena),
        .summary = sql_text(w, row, 3, arena),
        .tags = sql_text(w, row, 4, arena),
        .author_id = sql_text(w, row, 5, arena),
        .author_name = sql_text(w, row, 6, arena),
        .status = sql_number(row, 7) ? PUBLISHED : DRAFT,
        .featured = sql_number(row, 8) != 0,
        .chapters = sql_number(row, 9),
        .followers = sql_number(row, 10),
        .created_ms = sql_number(row, 11),
        .published_ms = sql_number(row, 12),
        .updated_ms = sql_number(row, 13),
        .score = sqlite3_column_count(row) > 14 ? sqlite3_column_double(row, 14) : 0,
    };
}

/* Ends the work with the one story that `row` gives, or NULL. */
static sc_err end_with_one(struct work *w, sqlite3_stmt *row, sc__arena *arena,
                           struct story **ret_story)
{
    struct story *story = NULL;
    sc_err err;

    if (sql_row(w, row)) {
        story = sc__arena_alloc(arena, sizeof(*story));
        if (story)
            *story = read_story(w, row, arena);
        else
            sql_fail(w, SC_ENOMEM, "out of memory");
    }
    err = sql_end(w);
    if (!err)
        *ret_story = story;
    return err;
}

static sc_err end_with_list(struct work *w, sqlite3_stmt *row, sc__arena *arena,
                            struct stories *ret_stories)
{
    struct stories list = {NULL, 0};
    sc_err err;

    while (sql_row(w, row)) {
        list.items = sql_list_grow(w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = read_story(w, row, arena);
    }
    err = sql_end(w);
    if (!err)
        *ret_stories = list;
    return err;
}

static sc_err find(struct store *store, sc_slice slug, sc__arena *arena, struct story **ret_story,
                   sc_reason *ret_reason)
{
    struct work w;

    sql_read(&w, store, ret_reason);
    return end_with_one(&w, sql(&w, "SELECT " COLUMNS FROM_STORIES "WHERE slug = ?", TEXT(slug)),
                        arena, ret_story);
}

static sc_err find_by_id(struct store *store, sc_slice id, sc__arena *arena,
                         struct story **ret_story, sc_reason *ret_reason)
{
    struct work w;

    sql_read(&w, store, ret_reason);
    return end_with_one(&w,
                        sql(&w, "SELECT " COLUMNS FROM_STORIES "WHERE stories.id = ?", TEXT(id)),
                        arena, ret_story);
}

/* One statement per way to ask, so that each walks along an index. */
static sqlite3_stmt *start_list(struct work *w, const struct story_query *query)
{
    const struct sql_arg limit = NUMBER(query->limit), offset = NUMBER(query->offset);

    if (query->writer_id.ptr)
        return sql(w,
                   "SELECT " COLUMNS FROM_STORIES "WHERE stories.id IN ("
                   "  SELECT id FROM stories WHERE author_id = ?1"
                   "  UNION SELECT story_id FROM collaborators WHERE user_id = ?1"
                   "  UNION SELECT story_id FROM chapters WHERE author_id = ?1)"
                   " AND (status = 1 OR ?2) AND (featured = 1 OR NOT ?3)"
                   " ORDER BY stories.updated_ms DESC, seq DESC LIMIT ?4 OFFSET ?5",
                   TEXT(query->writer_id), NUMBER(query->drafts_too), NUMBER(query->featured_only),
                   limit, offset);
    if (query->drafts_too)
        return sql(w,
                   "SELECT " COLUMNS FROM_STORIES "WHERE featured = 1 OR NOT ?"
                   " ORDER BY stories.updated_ms DESC, seq DESC LIMIT ? OFFSET ?",
                   NUMBER(query->featured_only), limit, offset);
    if (query->featured_only)
        return sql(w,
                   "SELECT " COLUMNS FROM_STORIES "WHERE status = 1 AND featured = 1"
                   " ORDER BY stories.updated_ms DESC, seq DESC LIMIT ? OFFSET ?",
                   limit, offset);
    if (query->order == BY_BIRTH)
        return sql(w,
                   "SELECT " COLUMNS FROM_STORIES "WHERE status = 1"
                   " ORDER BY published_ms DESC, seq DESC LIMIT ? OFFSET ?",
                   limit, offset);
    return sql(w,
               "SELECT " COLUMNS FROM_STORIES "WHERE status = 1"
               " ORDER BY stories.updated_ms DESC, seq DESC LIMIT ? OFFSET ?",
               limit, offset);
}

static sc_err list(struct store *store, const struct story_query *query, sc__arena *arena,
                   struct stories *ret_stories, sc_reason *ret_reason)
{
    struct work w;

    sql_read(&w, store, ret_reason);
    return end_with_list(&w, start_list(&w, query), arena, ret_stories);
}

static bool is_word_byte(unsigned char c)
{
    return c >= 0x80 || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* `sea whale` becomes `"sea"* "whale"*`: quoted, so that no word is taken for an operator of
 * FTS5. */
static void write_match(sc__str *match, sc_slice text)
{
    size_t i = 0, begin;

    while (i < text.len) {
        if (!is_word_byte((unsigned char)text.ptr[i])) {
            i++;
            continue;
        }
        begin = i;
        while (i < text.len && is_word_byte((unsigned char)text.ptr[i]))
            i++;
        sc__str_text(match, "\"");
        sc__str_append(match, (sc_slice){text.ptr + begin, i - begin});
        sc__str_text(match, "\"* ");
    }
}

static sc_err search(struct store *store, sc_slice text, int64_t limit, sc__arena *arena,
                     struct stories *ret_stories, sc_reason *ret_reason)
{
    AUTO_STR match = STR_MAX(4096);
    struct work w;

    write_match(&match, text);
    if (!match.len && !match.err) {
        *ret_stories = (struct stories){NULL, 0};
        return SC_OK;
    }
    sql_read(&w, store, ret_reason);
    if (match.err)
        sql_fail(&w, match.err, "the text to search for is too long");
    return end_with_list(
        &w,
        sql(&w,
            "SELECT " COLUMNS " FROM story_words JOIN stories ON stories.seq = story_words.rowid"
            " JOIN users ON users.id = author_id WHERE story_words MATCH ? AND status = 1"
            " ORDER BY bm25(story_words, 10, 3, 5, 5), seq LIMIT ?",
            TEXT(sc__str_slice(&match)), NUMBER(limit)),
        arena, ret_stories);
}

static sc_err trending(struct store *store, int64_t now_ms, int64_t window_ms, int64_t limit,
                       sc__arena *arena, struct stories *ret_stories, sc_reason *ret_reason)
{
    const struct sql_arg since = NUMBER(now_ms - window_ms), now = NUMBER(now_ms);
    struct work w;

    sql_read(&w, store, ret_reason);
    return end_with_list(
        &w,
        sql(&w,
            "WITH deeds(story_id, weight, at_ms) AS ("
            "  SELECT story_id, 1, read_ms FROM readings WHERE read_ms BETWEEN ?1 AND ?2"
            "  UNION ALL"
            "  SELECT story_id, 2, created_ms FROM chapters WHERE created_ms BETWEEN ?1 AND ?2"
            "  UNION ALL"
            "  SELECT story_id, 3, since_ms FROM followers WHERE since_ms BETWEEN ?1 AND ?2),"
            " scores AS (SELECT story_id, sum(weight * (at_ms - ?1) / (?2 - ?1 + 0.0)) AS score"
            "  FROM deeds GROUP BY story_id)"
            "SELECT " COLUMNS ", score FROM scores JOIN stories ON stories.id = story_id"
            " JOIN users ON users.id = author_id WHERE status = 1"
            " ORDER BY score DESC, seq DESC LIMIT ?3",
            since, now, NUMBER(limit)),
        arena, ret_stories);
}

void sqlite_story_insert(struct work *w, struct story *story, sc__arena *arena)
{
    sql_make_id(w, &story->id, arena);
    if (!story->created_ms)
        story->created_ms = sc__wall_ms();
    if (story->status == PUBLISHED && !story->published_ms)
        story->published_ms = story->created_ms;
    if (!story->updated_ms)
        story->updated_ms = story->created_ms;
    if (!story->tags.ptr)
        story->tags = SC_S("[]");
    sql_run(w,
            "INSERT INTO stories(id, slug, title, summary, tags, author_id, status, featured,"
            " created_ms, published_ms, updated_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            TEXT(story->id), TEXT(story->slug), TEXT(story->title), TEXT(story->summary),
            TEXT(story->tags), TEXT(story->author_id), NUMBER(story->status),
            NUMBER(story->featured), NUMBER(story->created_ms), NUMBER(story->published_ms),
            NUMBER(story->updated_ms));
    sql_explain(w, SC_EEXIST, SC_EEXIST, "a story with the slug \"%.*s\" exists already",
                (int)story->slug.len, story->slug.ptr);
    sql_explain(w, SC_ENOTFOUND, SC_EINVAL, "the author \"%.*s\" is no user",
                (int)story->author_id.len, story->author_id.ptr);
}

static sc_err insert(struct store *store, struct story *story, sc__arena *arena,
                     sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    sqlite_story_insert(&w, story, arena);
    return sql_end(&w);
}

static sc_err update(struct store *store, struct story *story, sc_reason *ret_reason)
{
    struct work w;
    int64_t now = sc__wall_ms();

    if (!story->tags.ptr)
        story->tags = SC_S("[]");
    sql_write(&w, store, ret_reason);
    if (!sql_run(&w,
                 "UPDATE stories SET title = ?, summary = ?, tags = ?, status = ?4, featured = ?,"
                 " published_ms = iif(?4 = 1 AND published_ms = 0, ?6, published_ms),"
                 " updated_ms = ?6 WHERE id = ?",
                 TEXT(story->title), TEXT(story->summary), TEXT(story->tags), NUMBER(story->status),
                 NUMBER(story->featured), NUMBER(now), TEXT(story->id)))
        sql_fail(&w, SC_ENOTFOUND, "there is no story with the id \"%.*s\"", (int)story->id.len,
                 story->id.ptr);
    return sql_end(&w);
}

const struct stories_ops sqlite_stories = {find,     find_by_id, list,  search,
                                           trending, insert,     update};
