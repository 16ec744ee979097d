/* What is kept for looking back: analytics, their daily figures, the log of scheduled jobs. */
#include "sqlite.h"

static sc_err events_insert(struct store *store, const struct event *events, size_t count,
                            size_t *ret_stored, sc_reason *ret_reason)
{
    struct work w;
    size_t stored = 0;
    sc_err err;

    sql_write(&w, store, ret_reason);
    for (size_t i = 0; i < count && !w.err; i++)
        stored += (size_t)sql_run(
            &w,
            "INSERT INTO events(key, name, user_id, properties, at_ms) VALUES (?, ?, ?, ?, ?)"
            " ON CONFLICT DO NOTHING",
            TEXT(events[i].key), TEXT(events[i].name), TEXT(events[i].user_id),
            TEXT(events[i].properties.ptr ? events[i].properties : SC_S("{}")),
            NUMBER(events[i].at_ms));
    err = sql_end(&w);
    if (!err && ret_stored)
        *ret_stored = stored;
    return err;
}

enum { DAY_MS = 24 * 60 * 60 * 1000 };

static int64_t day_begin(int64_t ms)
{
    int64_t into = ms % DAY_MS;

    return ms - (into < 0 ? into + DAY_MS : into);
}

static sc_err day_aggregate(struct store *store, int64_t day_ms, int64_t *ret_rows,
                            sc_reason *ret_reason)
{
    const struct sql_arg from = NUMBER(day_begin(day_ms));
    const struct sql_arg to = NUMBER(day_begin(day_ms) + DAY_MS - 1);
    struct work w;
    int64_t rows;
    sc_err err;

    sql_write(&w, store, ret_reason);
    sql_run(&w, "DELETE FROM day_stats WHERE day = date(? / 1000, 'unixepoch')", from);
    rows = sql_run(
        &w,
        "INSERT INTO day_stats"
        " SELECT date(?1 / 1000, 'unixepoch'), name, count(*), count(DISTINCT who) FROM ("
        "  SELECT name, user_id AS who FROM events WHERE at_ms BETWEEN ?1 AND ?2"
        "  UNION ALL SELECT 'users.created', id FROM users WHERE created_ms BETWEEN ?1 AND ?2"
        "  UNION ALL SELECT 'stories.published', author_id FROM stories"
        "    WHERE status = 1 AND published_ms BETWEEN ?1 AND ?2"
        "  UNION ALL SELECT 'chapters.published', author_id FROM chapters"
        "    WHERE created_ms BETWEEN ?1 AND ?2"
        "  UNION ALL SELECT 'chapters.read', user_id FROM readings"
        "    WHERE read_ms BETWEEN ?1 AND ?2"
        " ) GROUP BY name",
        from, to);
    err = sql_end(&w);
    if (!err && ret_rows)
        *ret_rows = rows;
    return err;
}

static sc_err day_list(struct store *store, int64_t from_ms, int64_t to_ms, sc__arena *arena,
                       struct day_stats *ret_stats, sc_reason *ret_reason)
{
    struct day_stats list = {NULL, 0};
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = sql(&w,
              "SELECT day, name, count, people FROM day_stats"
              " WHERE day BETWEEN date(? / 1000, 'unixepoch') AND date(? / 1000, 'unixepoch')"
              " ORDER BY day, name",
              NUMBER(day_begin(from_ms)), NUMBER(day_begin(to_ms)));
    while (sql_row(&w, row)) {
        list.items = sql_list_grow(&w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = (struct day_stat){
            .day = sql_text(&w, row, 0, arena),
            .name = sql_text(&w, row, 1, arena),
            .count = sql_number(row, 2),
            .people = sql_number(row, 3),
        };
    }
    err = sql_end(&w);
    if (!err)
        *ret_stats = list;
    return err;
}

static sc_err job_run_put(struct store *store, const struct job_run *run, sc_reason *ret_reason)
{
    struct work w;

    sql_write(&w, store, ret_reason);
    sql_run(&w, "INSERT OR REPLACE INTO job_runs VALUES (?, ?, ?, ?, ?, ?)", TEXT(run->job),
            TEXT(run->id), NUMBER(run->ok), TEXT(run->result), NUMBER(run->started_ms),
            NUMBER(run->finished_ms));
    return sql_end(&w);
}

static sqlite3_stmt *start_run_list(struct work *w, sc_slice job, int64_t limit)
{
    if (job.ptr)
        return sql(w,
                   "SELECT id, job, ok, result, started_ms, finished_ms FROM job_runs"
                   " WHERE job = ? ORDER BY finished_ms DESC, rowid DESC LIMIT ?",
                   TEXT(job), NUMBER(limit));
    return sql(w,
               "SELECT id, job, ok, result, started_ms, finished_ms FROM job_runs"
               " ORDER BY finished_ms DESC, rowid DESC LIMIT ?",
               NUMBER(limit));
}

static sc_err job_run_list(struct store *store, sc_slice job, int64_t limit, sc__arena *arena,
                           struct job_runs *ret_runs, sc_reason *ret_reason)
{
    struct job_runs list = {NULL, 0};
    sqlite3_stmt *row;
    struct work w;
    sc_err err;

    sql_read(&w, store, ret_reason);
    row = start_run_list(&w, job, limit);
    while (sql_row(&w, row)) {
        list.items = sql_list_grow(&w, arena, list.items, list.count, sizeof(*list.items));
        if (!list.items)
            break;
        list.items[list.count++] = (struct job_run){
            .id = sql_text(&w, row, 0, arena),
            .job = sql_text(&w, row, 1, arena),
            .ok = sql_number(row, 2) != 0,
            .result = sql_text(&w, row, 3, arena),
            .started_ms = sql_number(row, 4),
            .finished_ms = sql_number(row, 5),
        };
    }
    err = sql_end(&w);
    if (!err)
        *ret_runs = list;
    return err;
}

const struct records_ops sqlite_records = {events_insert, day_aggregate, day_list, job_run_put,
                                           job_run_list};
