/* storychain schedule list|show|preview: what repeats, when next, and how it went. */
#include <storychain/scheduler.h>

#include "app/job_shapes.h"
#include "app/schedule_words.h"
#include "base/clock.h"
#include "base/iso8601.h"
#include "cmds.h"
#include "connect.h"
#include "date.h"
#include "schedule_rule.h"
#include "table.h"

enum { SCHEDULES_MAX = 1000, TIMES_MAX = 1000, NEXT_TIMES = 5 };

static sc_slice repeats(struct cli *cli, const sc_scheduler_info *info)
{
    if (info->pattern.len)
        return info->pattern;
    return sc_slice_of(sc__arena_printf(&cli->arena, "every %lld ms", (long long)info->every_ms));
}

static int print_schedules(struct cli *cli, const sc_scheduler_list *list)
{
    static const char *const heads[] = {"SCHEDULE", "REPEATS", "ZONE", "NEXT RUN",
                                        ">RUNS",    "",        NULL};
    AUTO_JSON *all = json_array();
    int64_t now = sc__wall_ms();
    struct table table;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; i < list->count; i++) {
        const sc_scheduler_info *info = &list->items[i];

        json_array_append_new(all, schedule_shape(info));
        table_text(&table, info->id);
        table_text(&table, repeats(cli, info));
        table_text(&table, info->tz.len ? info->tz : SC_S("UTC"));
        table_when(&table, info->is_over ? 0 : info->next_ms, now);
        table_int(&table, info->iterations);
        table_text(&table, info->is_over     ? SC_S("ended")
                           : info->is_paused ? SC_S("paused")
                                             : SC_S(""));
    }
    if (cli->json)
        return cli_print_json(cli, json_incref(all));
    table_print(&table, stdout,
                "There are no schedules; `storychain serve` registers StoryChain's.");
    return EXIT_OK;
}

static int list_schedules(struct cli *cli, sc_queue *queue)
{
    sc_scheduler_list *list;
    sc_err err = sc_scheduler_list_get(queue, 0, SCHEDULES_MAX - 1, &list);
    int code;

    if (err)
        return cli_fail_err(cli, err, NULL, "reading the schedules");
    code = print_schedules(cli, list);
    sc_scheduler_list_free(list);
    return code;
}

int cmd_schedule_list(struct cli *cli)
{
    return cli_on_schedules(cli, list_schedules);
}

static void print_rule(struct cli *cli, const sc_scheduler_info *info)
{
    char next[SC__ISO8601_LEN + 1];
    sc_slice rule = repeats(cli, info);

    sc__iso8601_text(info->next_ms, true, next);
    printf("%.*s: %.*s, %.*s\n", (int)info->id.len, info->id.ptr, (int)rule.len, rule.ptr,
           info->tz.len ? (int)info->tz.len : 3, info->tz.len ? info->tz.ptr : "UTC");
    printf("next run   %s%s\n", info->is_over ? "none, it has ended" : next,
           info->is_paused ? " (paused: it will be skipped)" : "");
    printf("runs       %lld made, %lld missed, %lld skipped\n", (long long)info->iterations,
           (long long)info->missed, (long long)info->skipped);
    if (!info->is_guarded)
        return;
    printf("policies   overlap %s, catchup %s, clocks %s", overlap_words[info->overlap],
           catchup_words[info->catchup], dst_words[info->dst]);
    if (info->jitter_ms)
        printf(", jitter %lld ms", (long long)info->jitter_ms);
    printf("\n");
    if (info->exclude.len) {
        printf("excluded   ");
        print_text(stdout, info->exclude);
    }
}

static void print_runs(struct cli *cli, const sc_scheduler_runs *runs)
{
    static const char *const heads[] = {"RUN", "ENDED", "FINISHED", "RESULT", NULL};
    int64_t now = sc__wall_ms();
    struct table table;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; i < runs->count; i++) {
        const sc_scheduler_run *run = &runs->items[i];
        sc_slice text = run->text;

        text.len = text.len < 60 ? text.len : 60;
        table_when(&table, run->run_ms, now);
        table_text(&table, sc_slice_of(run_state_words[run->state]));
        table_when(&table, run->finished_ms, now);
        table_text(&table, text);
    }
    if (runs->count)
        printf("\n");
    table_print(&table, stdout, "");
}

static bool next_times(struct cli *cli, sc_queue *queue, const sc_scheduler_info *info,
                       void **ret_json)
{
    const sc_repeat repeat = {
        .pattern = info->pattern,
        .tz = info->tz,
        .every_ms = info->every_ms,
        .offset_ms = -1,
        .start_ms = info->every_ms ? info->next_ms : info->start_ms,
        .end_ms = info->end_ms,
        .exclude = info->exclude,
        .dst = info->dst,
    };
    int64_t times[NEXT_TIMES], after_ms = info->nominal_ms ? info->nominal_ms : info->next_ms;
    size_t count = 0;

    if (info->is_over || sc_scheduler_preview(queue, info->id, &repeat, after_ms - 1, times,
                                              NEXT_TIMES, &count, NULL))
        count = 0;
    return cli_print_times(cli, info->tz, times, count, ret_json);
}

static int print_schedule(struct cli *cli, sc_queue *queue, const sc_scheduler_info *info,
                          const sc_scheduler_runs *runs)
{
    void *times = NULL;
    json_t *shape, *all = json_array();

    if (!cli->json)
        print_rule(cli, info);
    if (!next_times(cli, queue, info, &times)) {
        json_decref(all);
        return EXIT_FAILED;
    }
    if (!cli->json) {
        json_decref(all);
        print_runs(cli, runs);
        return EXIT_OK;
    }
    for (size_t i = 0; i < runs->count; i++)
        json_array_append_new(all, schedule_run_shape(&runs->items[i]));
    shape = schedule_shape(info);
    json_object_set_new(shape, "times", times);
    json_object_set_new(shape, "runs", all);
    return cli_print_json(cli, shape);
}

static int show(struct cli *cli, sc_queue *queue)
{
    sc_slice id = sc_slice_of(cli->words[0]);
    sc_scheduler_list *list;
    sc_scheduler_runs *runs;
    sc_err err = sc_scheduler_get(queue, id, &list);
    int code;

    if (err == SC_ENOTFOUND)
        return cli_fail(cli, EXIT_NOT_FOUND, "there is no schedule \"%.60s\"", cli->words[0]);
    if (err)
        return cli_fail_err(cli, err, NULL, "reading the schedule");
    err = sc_scheduler_runs_get(queue, id, &runs);
    if (err) {
        code = cli_fail_err(cli, err, NULL, "reading its runs");
    } else {
        code = print_schedule(cli, queue, &list->items[0], runs);
        sc_scheduler_runs_free(runs);
    }
    sc_scheduler_list_free(list);
    return code;
}

int cmd_schedule_show(struct cli *cli)
{
    return cli_on_schedules(cli, show);
}

int cmd_schedule_preview(struct cli *cli)
{
    const char *from = cli_flag(cli, "from");
    int64_t after_ms = sc__wall_ms(), wanted;
    int64_t *times;
    sc_reason reason = {""};
    sc_repeat repeat;
    size_t count = 0;
    void *json = NULL;
    sc_err err;

    if (!cli_flag_int(cli, "count", 10, 1, TIMES_MAX, &wanted) ||
        !cli_schedule_rule(cli, cli->words[0], &repeat))
        return EXIT_USAGE;
    if (from && !cli_date(cli, "--from", from, repeat.tz, &after_ms))
        return EXIT_USAGE;
    times = sc__arena_zalloc(&cli->arena, (size_t)wanted * sizeof(*times));
    if (!times)
        return cli_fail_err(cli, SC_ENOMEM, NULL, NULL);
    err = sc_scheduler_preview(NULL, sc_slice_of(cli_flag(cli, "id")), &repeat, after_ms, times,
                               (size_t)wanted, &count, &reason);
    if (err)
        return cli_fail(cli, EXIT_USAGE, "%s", reason.text);
    if (!cli_print_times(cli, repeat.tz, times, count, &json))
        return EXIT_FAILED;
    return json ? cli_print_json(cli, json) : EXIT_OK;
}
