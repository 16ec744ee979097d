/* storychain schedule upsert|run|pause|resume|remove|backfill: schedules changed by hand. */
#include <storychain/scheduler.h>

#include "app/job_shapes.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "cmds.h"
#include "connect.h"
#include "date.h"
#include "schedule_rule.h"

/* The end of each of these commands. */
static int say(struct cli *cli, const char *done)
{
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:o, s:s}", "id",
                                             text_shape(sc_slice_of(cli->words[0])), "done", done));
    printf("schedule %s is %s\n", cli->words[0], done);
    return EXIT_OK;
}

static int say_stored(struct cli *cli, int64_t next_ms)
{
    char next[SC__ISO8601_LEN + 1];

    sc__iso8601_text(next_ms, next_ms % 1000 != 0, next);
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:o, s:s, s:s}", "id",
                                             text_shape(sc_slice_of(cli->words[0])), "done",
                                             "stored", "next", next));
    printf("schedule %s is stored; its next run is %s\n", cli->words[0], next);
    return EXIT_OK;
}

static int upsert(struct cli *cli, sc_queue *queue)
{
    const char *name = cli_flag(cli, "name");
    sc_slice id = sc_slice_of(cli->words[0]);
    const sc_job_spec spec = {
        .name = name ? sc_slice_of(name) : id,
        .data = cli->word_count > 2 ? sc_slice_of(cli->words[2]) : SC_S("{}"),
    };
    sc_reason reason = {""};
    int64_t next_ms = 0;
    sc_repeat repeat;
    sc_err err;

    if (!cli_schedule_rule(cli, cli->words[1], &repeat))
        return EXIT_USAGE;
    err = sc_scheduler_upsert(queue, id, &repeat, &spec, NULL, &next_ms, &reason);
    if (err == SC_EINVAL || err == SC_ESYNTAX || err == SC_ENOTFOUND || err == SC_ETOOBIG)
        return cli_fail(cli, EXIT_USAGE, "%s", reason.text);
    return err ? cli_fail_err(cli, err, &reason, NULL) : say_stored(cli, next_ms);
}

int cmd_schedule_upsert(struct cli *cli)
{
    return cli_on_schedules(cli, upsert);
}

static int run(struct cli *cli, sc_queue *queue)
{
    sc_reason reason = {""};
    char *job_id = NULL;
    sc_err err = sc_scheduler_trigger(queue, sc_slice_of(cli->words[0]), &job_id, &reason);
    int code = EXIT_OK;

    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    if (cli->json)
        code = cli_print_json(cli, json_pack("{s:o, s:s, s:o}", "id",
                                             text_shape(sc_slice_of(cli->words[0])), "done", "run",
                                             "job", text_shape(sc_slice_of(job_id))));
    else
        printf("a run of schedule %s is added: job %s\n", cli->words[0], job_id);
    sc_free(job_id);
    return code;
}

int cmd_schedule_run(struct cli *cli)
{
    return cli_on_schedules(cli, run);
}

static int pause(struct cli *cli, sc_queue *queue)
{
    sc_reason reason = {""};
    sc_err err = sc_scheduler_pause(queue, sc_slice_of(cli->words[0]), &reason);

    return err ? cli_fail_err(cli, err, &reason, NULL) : say(cli, "paused");
}

int cmd_schedule_pause(struct cli *cli)
{
    return cli_on_schedules(cli, pause);
}

static int resume(struct cli *cli, sc_queue *queue)
{
    sc_reason reason = {""};
    sc_err err = sc_scheduler_resume(queue, sc_slice_of(cli->words[0]), &reason);

    return err ? cli_fail_err(cli, err, &reason, NULL) : say(cli, "resumed");
}

int cmd_schedule_resume(struct cli *cli)
{
    return cli_on_schedules(cli, resume);
}

static int remove_schedule(struct cli *cli, sc_queue *queue)
{
    sc_err err = sc_scheduler_remove(queue, sc_slice_of(cli->words[0]));

    if (err == SC_ENOTFOUND)
        return cli_fail(cli, EXIT_NOT_FOUND, "there is no schedule \"%.60s\"", cli->words[0]);
    return err ? cli_fail_err(cli, err, NULL, NULL) : say(cli, "removed");
}

int cmd_schedule_remove(struct cli *cli)
{
    return cli_on_schedules(cli, remove_schedule);
}

/* The dates to backfill between; local ones are of the schedule's zone. Gives an exit code. */
static int read_range(struct cli *cli, sc_queue *queue, int64_t *ret_from_ms, int64_t *ret_to_ms)
{
    const char *id = cli->words[0];
    sc_scheduler_list *list;
    sc_err err = sc_scheduler_get(queue, sc_slice_of(id), &list);
    bool is_read;

    if (err == SC_ENOTFOUND)
        return cli_fail(cli, EXIT_NOT_FOUND, "there is no schedule \"%.60s\"", id);
    if (err)
        return cli_fail_err(cli, err, NULL, NULL);
    is_read = cli_date(cli, "FROM", cli->words[1], list->items[0].tz, ret_from_ms) &&
              cli_date(cli, "TO", cli->words[2], list->items[0].tz, ret_to_ms);
    sc_scheduler_list_free(list);
    return is_read ? EXIT_OK : EXIT_USAGE;
}

static int backfill(struct cli *cli, sc_queue *queue)
{
    int64_t from_ms, to_ms, per_minute, added = 0;
    sc_reason reason = {""};
    sc_err err;
    int code;

    if (!cli_flag_int(cli, "per-minute", 60, 0, 60000, &per_minute))
        return EXIT_USAGE;
    code = read_range(cli, queue, &from_ms, &to_ms);
    if (code)
        return code;
    err = sc_scheduler_backfill(queue, sc_slice_of(cli->words[0]), from_ms, to_ms, per_minute,
                                &added, &reason);
    if (err == SC_EINVAL || err == SC_ETOOBIG)
        return cli_fail(cli, EXIT_USAGE, "%s", reason.text);
    if (err)
        return cli_fail_err(cli, err, &reason, NULL);
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:o, s:s, s:I}", "id",
                                             text_shape(sc_slice_of(cli->words[0])), "done",
                                             "backfilled", "added", (json_int_t)added));
    printf("%lld runs of schedule %s are added\n", (long long)added, cli->words[0]);
    return EXIT_OK;
}

int cmd_schedule_backfill(struct cli *cli)
{
    return cli_on_schedules(cli, backfill);
}
