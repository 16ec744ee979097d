/* storychain queue drain|clean|obliterate|retry|promote|trim-events: many jobs at once. What cannot be undone says how many jobs it would
 * take, and wants --yes. On a terminal the number done so far is shown; Ctrl-C stops between two slices. */
#include <storychain/control.h>

#include "app/job_shapes.h"
#include "base/str.h"
#include "cmds.h"
#include "connect.h"
#include "progress.h"
#include "signals.h"

/* What became of it, on stdout or stderr. */
static int tell(struct cli *cli, const struct progress *p, sc_err err, int64_t count,
                const sc_reason *why)
{
    json_t *shape;

    progress_end(p);
    if (err == SC_ECANCELED)
        return cli_fail(cli, EXIT_FAILED,
                        "stopped after %lld jobs; the same command goes on from there",
                        (long long)p->done);
    if (err)
        return cli_fail_err(cli, err, why, NULL);
    if (!cli->json) {
        printf("%s: %lld job%s %s\n", cli->words[0], (long long)count, cli_plural(count), p->doing);
        return EXIT_OK;
    }
    shape = json_object();
    json_object_set_new(shape, "queue", text_shape(sc_slice_of(cli->words[0])));
    json_object_set_new(shape, p->doing, json_integer(count));
    return cli_print_json(cli, shape);
}

/* EXIT_OK with --yes; else a sentence that says what would be lost. */
static int confirm(struct cli *cli, int64_t count, const char *what)
{
    if (cli_flag(cli, "yes"))
        return EXIT_OK;
    return cli_fail(cli, EXIT_REFUSED, "%s has %lld %s; add --yes to remove them", cli->words[0],
                    (long long)count, what);
}

static int run_on_queue(struct cli *cli, int (*act)(struct cli *cli, sc_queue *queue))
{
    if (!signals_start())
        return cli_fail(cli, EXIT_FAILED, "there is no room for a thread");
    return cli_on_queue(cli, act);
}

/* ---- drain ---- */

static int drain(struct cli *cli, sc_queue *queue)
{
    struct progress p = {.what = "jobs", .doing = "removed"};
    bool delayed = cli_flag(cli, "delayed");
    sc_queue_counts c;
    sc_reason why = {""};
    int64_t count = 0;
    sc_err err = sc_queue_get_counts(queue, &c);
    int code;

    if (err)
        return cli_fail_err(cli, err, NULL, "counting jobs");
    code = confirm(cli,
                   c.by_state[SC_JOB_WAITING] + c.by_state[SC_JOB_PRIORITIZED] +
                       (delayed ? c.by_state[SC_JOB_DELAYED] : 0),
                   delayed ? "jobs that wait, with priorities and delays" : "jobs that wait");
    if (code)
        return code;
    signals_note();
    err = sc_queue_drain(queue, delayed, &(sc_sweep){progress_told, &p}, &count, &why);
    return tell(cli, &p, err, count, &why);
}

int cmd_queue_drain(struct cli *cli)
{
    return run_on_queue(cli, drain);
}

/* ---- clean ---- */

static int clean(struct cli *cli, sc_queue *queue)
{
    struct progress p = {.what = "jobs", .doing = "removed"};
    sc_job_state state = sc_job_state_of(sc_slice_of(cli->words[1]));
    int64_t grace_ms, limit, count = 0;
    sc_queue_counts counts;
    sc_reason why = {""};
    const char *what;
    sc_err err;
    int code;

    if (!cli_flag_time(cli, "older-than", 0, &grace_ms) ||
        !cli_flag_int(cli, "limit", 0, 1, INT64_C(1) << 53, &limit))
        return EXIT_USAGE;
    err = sc_queue_get_counts(queue, &counts);
    if (err)
        return cli_fail_err(cli, err, NULL, "counting jobs");
    what = sc__arena_printf(&cli->arena, "%s jobs, of any age", sc_job_state_name(state));
    code = confirm(cli, counts.by_state[state], what ? what : "jobs");
    if (code)
        return code;
    signals_note();
    err =
        sc_queue_clean(queue, state, grace_ms, limit, &(sc_sweep){progress_told, &p}, &count, &why);
    return tell(cli, &p, err, count, &why);
}

int cmd_queue_clean(struct cli *cli)
{
    sc_job_state state = sc_job_state_of(sc_slice_of(cli->words[1]));

    if (state == SC_JOB_UNKNOWN || state == SC_JOB_WAITING_CHILDREN)
        return cli_fail(cli, EXIT_USAGE,
                        "\"%.40s\" is none of waiting, active, delayed, prioritized, completed, "
                        "failed",
                        cli->words[1]);
    return run_on_queue(cli, clean);
}

/* ---- obliterate ---- */

static int obliterate(struct cli *cli, sc_queue *queue)
{
    struct progress p = {.what = "jobs", .doing = "removed"};
    sc_queue_counts counts;
    sc_reason why = {""};
    int64_t count = 0, all = 0;
    sc_err err = sc_queue_get_counts(queue, &counts);
    int code;

    if (err)
        return cli_fail_err(cli, err, NULL, "counting jobs");
    for (int state = 0; state < SC_JOB_UNKNOWN; state++)
        all += counts.by_state[state];
    code = confirm(cli, all, "jobs, schedules, events and settings beside");
    if (code)
        return code;
    signals_note();
    err = sc_queue_obliterate(queue, cli_flag(cli, "force"), &(sc_sweep){progress_told, &p}, &count,
                              &why);
    if (err == SC_EBUSY) {
        progress_end(&p);
        return cli_fail(cli, EXIT_REFUSED,
                        "%s has active jobs, and is paused now; --force removes them, too",
                        cli->words[0]);
    }
    if (err == SC_ESTATE) {
        progress_end(&p);
        return cli_fail(cli, EXIT_REFUSED, "%s was resumed meanwhile; what is left of it stays",
                        cli->words[0]);
    }
    return tell(cli, &p, err, count, &why);
}

int cmd_queue_obliterate(struct cli *cli)
{
    return run_on_queue(cli, obliterate);
}

/* ---- retry, promote ---- */

static int retry(struct cli *cli, sc_queue *queue)
{
    struct progress p = {.what = "jobs", .doing = "retried"};
    const char *name = cli_flag(cli, "state");
    sc_reason why = {""};
    int64_t limit, count = 0;
    sc_err err;

    if (!cli_flag_int(cli, "limit", 0, 1, INT64_C(1) << 53, &limit))
        return EXIT_USAGE;
    signals_note();
    err = sc_queue_retry_jobs(queue, sc_job_state_of(sc_slice_of(name ? name : "failed")), 0, limit,
                              &(sc_sweep){progress_told, &p}, &count, &why);
    return tell(cli, &p, err, count, &why);
}

int cmd_queue_retry(struct cli *cli)
{
    const char *name = cli_flag(cli, "state");

    if (name && strcmp(name, "failed") != 0 && strcmp(name, "completed") != 0)
        return cli_fail(cli, EXIT_USAGE, "--state: \"%.40s\" is neither failed nor completed",
                        name);
    return run_on_queue(cli, retry);
}

static int promote(struct cli *cli, sc_queue *queue)
{
    struct progress p = {.what = "jobs", .doing = "promoted"};
    sc_reason why = {""};
    int64_t limit, count = 0;
    sc_err err;

    if (!cli_flag_int(cli, "limit", 0, 1, INT64_C(1) << 53, &limit))
        return EXIT_USAGE;
    signals_note();
    err = sc_queue_promote_jobs(queue, limit, &(sc_sweep){progress_told, &p}, &count, &why);
    return tell(cli, &p, err, count, &why);
}

int cmd_queue_promote(struct cli *cli)
{
    return run_on_queue(cli, promote);
}

/* ---- trim-events ---- */

static int trim_events(struct cli *cli, sc_queue *queue)
{
    sc_reason why = {""};
    int64_t keep, removed = 0;
    json_t *shape;
    sc_err err;

    if (!sc__int_parse(sc_slice_of(cli->words[1]), &keep) || keep < 0)
        return cli_fail(cli, EXIT_USAGE, "\"%.40s\" is not a number of events", cli->words[1]);
    if (!cli_flag(cli, "yes"))
        return cli_fail(cli, EXIT_REFUSED,
                        "all events of %s but the newest %lld go; add --yes to remove them",
                        cli->words[0], (long long)keep);
    err = sc_queue_trim_events(queue, keep, &removed, &why);
    if (err)
        return cli_fail_err(cli, err, &why, NULL);
    if (!cli->json) {
        printf("%s: %lld event%s removed\n", cli->words[0], (long long)removed,
               cli_plural(removed));
        return EXIT_OK;
    }
    shape = json_object();
    json_object_set_new(shape, "queue", text_shape(sc_slice_of(cli->words[0])));
    json_object_set_new(shape, "removed", json_integer(removed));
    return cli_print_json(cli, shape);
}

int cmd_queue_trim_events(struct cli *cli)
{
    return run_on_queue(cli, trim_events);
}
