#include "sqlite_schema.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/error.h"

#include "sqlite_db.h"

/* "StCh", in the file's header: tells our files from those of other programs. */
enum { APPLICATION_ID = 0x53744368 };

/* The step from version i to i + 1. What was released is never changed: a change is a new step.
 *
 * `seq` orders rows by their birth, as the ids don't. Dates are in ms; 0 is "not yet". */
static const char *const steps[] = {
    "CREATE TABLE users ("
    "  id TEXT PRIMARY KEY,"
    "  clerk_id TEXT NOT NULL UNIQUE,"
    "  name TEXT NOT NULL,"
    "  email TEXT,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX users_created ON users(created_ms);"

    "CREATE TABLE stories ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  slug TEXT NOT NULL UNIQUE,"
    "  title TEXT NOT NULL,"
    "  summary TEXT,"
    "  tags TEXT NOT NULL DEFAULT '[]',"
    "  author_id TEXT NOT NULL REFERENCES users(id),"
    "  status INTEGER NOT NULL,"
    "  featured INTEGER NOT NULL,"
    "  chapters INTEGER NOT NULL DEFAULT 0,"
    "  followers INTEGER NOT NULL DEFAULT 0,"
    "  created_ms INTEGER NOT NULL,"
    "  published_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX stories_updated ON stories(updated_ms, seq) WHERE status = 1;"
    "CREATE INDEX stories_published ON stories(published_ms, seq) WHERE status = 1;"
    "CREATE INDEX stories_featured ON stories(updated_ms, seq) WHERE status = 1 AND featured = 1;"
    "CREATE INDEX stories_author ON stories(author_id, updated_ms);"

    "CREATE TABLE chapters ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  story_id TEXT NOT NULL REFERENCES stories(id) ON DELETE CASCADE,"
    "  slug TEXT NOT NULL,"
    "  title TEXT NOT NULL,"
    "  content TEXT NOT NULL,"
    "  parent_id TEXT REFERENCES chapters(id),"
    "  author_id TEXT NOT NULL REFERENCES users(id),"
    "  position INTEGER NOT NULL,"
    "  words INTEGER NOT NULL,"
    "  created_ms INTEGER NOT NULL,"
    "  updated_ms INTEGER NOT NULL,"
    "  untold INTEGER NOT NULL,"
    "  UNIQUE (story_id, slug)"
    ") STRICT;"
    "CREATE INDEX chapters_parent ON chapters(story_id, parent_id);"
    "CREATE INDEX chapters_created ON chapters(created_ms);"
    "CREATE INDEX chapters_author ON chapters(author_id);"
    "CREATE INDEX chapters_untold ON chapters(seq) WHERE untold = 1;"
    "CREATE TRIGGER chapter_added AFTER INSERT ON chapters BEGIN"
    "  UPDATE stories SET chapters = chapters + 1,"
    "    updated_ms = max(updated_ms, new.created_ms) WHERE id = new.story_id;"
    "END;"

    "CREATE TABLE collaborators ("
    "  story_id TEXT NOT NULL REFERENCES stories(id) ON DELETE CASCADE,"
    "  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  role TEXT NOT NULL,"
    "  since_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (story_id, user_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX collaborators_user ON collaborators(user_id);"

    "CREATE TABLE followers ("
    "  story_id TEXT NOT NULL REFERENCES stories(id) ON DELETE CASCADE,"
    "  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  since_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (story_id, user_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX followers_since ON followers(since_ms);"
    "CREATE TRIGGER follower_added AFTER INSERT ON followers BEGIN"
    "  UPDATE stories SET followers = followers + 1 WHERE id = new.story_id;"
    "END;"
    "CREATE TRIGGER follower_removed AFTER DELETE ON followers BEGIN"
    "  UPDATE stories SET followers = followers - 1 WHERE id = old.story_id;"
    "END;"

    "CREATE VIRTUAL TABLE story_words USING fts5("
    "  title, summary, tags, author, tokenize = 'unicode61 remove_diacritics 2');"
    "CREATE TRIGGER story_words_add AFTER INSERT ON stories BEGIN"
    "  INSERT INTO story_words(rowid, title, summary, tags, author)"
    "    SELECT new.seq, new.title, new.summary, new.tags, name FROM users"
    "    WHERE id = new.author_id;"
    "END;"
    "CREATE TRIGGER story_words_change AFTER UPDATE OF title, summary, tags ON stories BEGIN"
    "  UPDATE story_words SET title = new.title, summary = new.summary, tags = new.tags"
    "    WHERE rowid = new.seq;"
    "END;"
    "CREATE TRIGGER story_words_author AFTER UPDATE OF name ON users WHEN old.name <> new.name "
    "BEGIN"
    "  UPDATE story_words SET author = new.name"
    "    WHERE rowid IN (SELECT seq FROM stories WHERE author_id = new.id);"
    "END;"
    "CREATE TRIGGER story_words_remove AFTER DELETE ON stories BEGIN"
    "  DELETE FROM story_words WHERE rowid = old.seq;"
    "END;"

    "CREATE TABLE notifications ("
    "  seq INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  type TEXT NOT NULL,"
    "  title TEXT NOT NULL,"
    "  message TEXT NOT NULL,"
    "  action_url TEXT,"
    "  metadata TEXT,"
    "  key TEXT,"
    "  created_ms INTEGER NOT NULL,"
    "  read_ms INTEGER NOT NULL DEFAULT 0,"
    "  UNIQUE (user_id, key)"
    ") STRICT;"
    "CREATE INDEX notifications_user ON notifications(user_id, seq);"
    "CREATE INDEX notifications_unread ON notifications(user_id, seq) WHERE read_ms = 0;"
    "CREATE INDEX notifications_old ON notifications(created_ms) WHERE read_ms > 0;"

    "CREATE TABLE autosaves ("
    "  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  story_id TEXT NOT NULL REFERENCES stories(id) ON DELETE CASCADE,"
    "  chapter TEXT NOT NULL,"
    "  title TEXT,"
    "  content TEXT NOT NULL,"
    "  saved_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (user_id, story_id, chapter)"
    ") STRICT;"
    "CREATE INDEX autosaves_saved ON autosaves(saved_ms);"

    "CREATE TABLE sessions ("
    "  id TEXT PRIMARY KEY,"
    "  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  created_ms INTEGER NOT NULL,"
    "  expires_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX sessions_expires ON sessions(expires_ms);"

    "CREATE TABLE readings ("
    "  user_id TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,"
    "  chapter_id TEXT NOT NULL REFERENCES chapters(id) ON DELETE CASCADE,"
    "  story_id TEXT NOT NULL REFERENCES stories(id) ON DELETE CASCADE,"
    "  read_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (user_id, chapter_id)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX readings_story ON readings(user_id, story_id, read_ms);"
    "CREATE INDEX readings_read ON readings(read_ms);"

    "CREATE TABLE events ("
    "  seq INTEGER PRIMARY KEY,"
    "  key TEXT UNIQUE,"
    "  name TEXT NOT NULL,"
    "  user_id TEXT,"
    "  properties TEXT NOT NULL,"
    "  at_ms INTEGER NOT NULL"
    ") STRICT;"
    "CREATE INDEX events_at ON events(at_ms);"

    "CREATE TABLE day_stats ("
    "  day TEXT NOT NULL,"
    "  name TEXT NOT NULL,"
    "  count INTEGER NOT NULL,"
    "  people INTEGER NOT NULL,"
    "  PRIMARY KEY (day, name)"
    ") STRICT, WITHOUT ROWID;"

    "CREATE TABLE job_runs ("
    "  job TEXT NOT NULL,"
    "  id TEXT NOT NULL,"
    "  ok INTEGER NOT NULL,"
    "  result TEXT,"
    "  started_ms INTEGER NOT NULL,"
    "  finished_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (job, id)"
    ") STRICT;"
    "CREATE INDEX job_runs_finished ON job_runs(finished_ms);"
    "CREATE INDEX job_runs_job ON job_runs(job, finished_ms);",
};

enum { VERSION = sizeof(steps) / sizeof(*steps) };

static int take_number(void *out, int columns, char **values, char **names)
{
    (void)columns, (void)names;
    *(int64_t *)out = values[0] ? strtoll(values[0], NULL, 10) : 0;
    return 0;
}

static int ask_number(sqlite3 *handle, const char *sql, int64_t *ret_number)
{
    return sqlite3_exec(handle, sql, take_number, ret_number, NULL);
}

/* Which version the file is of; 0: it is empty. */
static sc_err find_version(sqlite3 *handle, const char *path, int64_t *ret_version,
                           sc_reason *ret_reason)
{
    int64_t application = 0, version = 0, tables = 0;

    if (ask_number(handle, "PRAGMA application_id", &application) ||
        ask_number(handle, "PRAGMA user_version", &version) ||
        ask_number(handle, "SELECT count(*) FROM sqlite_schema", &tables))
        return sqlite_db_error(handle, path, ret_reason);
    if (application != APPLICATION_ID && (application || version || tables))
        return sc__because(ret_reason, SC_ESTATE,
                           "%s is a database of another program: name another file", path);
    if (version > VERSION)
        return sc__because(ret_reason, SC_ESTATE,
                           "%s was made by a newer StoryChain (its version is %lld, this one knows "
                           "up to %d): use that one, or another file",
                           path, (long long)version, VERSION);
    *ret_version = version;
    return SC_OK;
}

static int take_steps(sqlite3 *handle, int64_t from)
{
    char pragmas[96];
    int code;

    for (int64_t i = from; i < VERSION; i++) {
        code = sqlite3_exec(handle, steps[i], NULL, NULL, NULL);
        if (code)
            return code;
    }
    snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d",
             APPLICATION_ID, VERSION);
    return sqlite3_exec(handle, pragmas, NULL, NULL, NULL);
}

sc_err sqlite_schema_update(sqlite3 *handle, const char *path, sc_reason *ret_reason)
{
    int64_t version = 0;
    sc_err err;

    err = find_version(handle, path, &version, ret_reason);
    if (err || version == VERSION)
        return err;
    /* Another process may be at the same: who comes second finds it done. */
    if (sqlite3_exec(handle, "BEGIN IMMEDIATE", NULL, NULL, NULL))
        return sqlite_db_error(handle, path, ret_reason);
    err = find_version(handle, path, &version, ret_reason);
    if (!err && (take_steps(handle, version) || sqlite3_exec(handle, "COMMIT", NULL, NULL, NULL)))
        err = sqlite_db_error(handle, path, ret_reason);
    if (!sqlite3_get_autocommit(handle))
        sqlite3_exec(handle, "ROLLBACK", NULL, NULL, NULL);
    return err;
}
