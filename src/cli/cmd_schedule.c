/* storychain schedule …: what repeats, and when next. */
#include <storychain/scheduler.h>

#include "app/job_shapes.h"
#include "app/queues.h"
#include "base/clock.h"
#include "cmds.h"
#include "connect.h"
#include "table.h"

enum { SCHEDULES_MAX = 1000 };

static int print_schedules(struct cli *cli, const sc_scheduler_list *list)
{
    static const char *const heads[] = {"SCHEDULE", "REPEATS", "ZONE", "NEXT RUN", ">RUNS", NULL};
    AUTO_JSON *all = json_array();
    int64_t now = sc__wall_ms();
    struct table table;

    table_init(&table, &cli->arena, heads);
    for (size_t i = 0; i < list->count; i++) {
        const sc_scheduler_info *info = &list->items[i];

        json_array_append_new(all, schedule_shape(info));
        table_text(&table, info->id);
        if (info->pattern.len)
            table_text(&table, info->pattern);
        else
            table_text(&table, sc_slice_of(sc__arena_printf(&cli->arena, "every %lld ms",
                                                            (long long)info->every_ms)));
        table_text(&table, info->tz.len ? info->tz : SC_S("UTC"));
        table_when(&table, info->next_ms, now);
        table_int(&table, info->iterations);
    }
    if (cli->json)
        return cli_print_json(cli, json_incref(all));
    table_print(&table, stdout,
                "There are no schedules; `storychain serve` registers StoryChain's.");
    return EXIT_OK;
}

int cmd_schedule_list(struct cli *cli)
{
    const char *queue_name = cli_flag(cli, "queue");
    sc_scheduler_list *list;
    sc_client *client;
    sc_queue *queue;
    int code = cli_connect(cli, &client);
    sc_err err;

    if (code)
        return code;
    code = cli_open_queue(
        cli, client, sc_slice_of(queue_name ? queue_name : queue_rule_of(QUEUE_SCHEDULED)->name),
        &queue);
    if (!code) {
        err = sc_scheduler_list_get(queue, 0, SCHEDULES_MAX - 1, &list);
        if (err) {
            code = cli_fail_err(cli, err, NULL, "reading the schedules");
        } else {
            code = print_schedules(cli, list);
            sc_scheduler_list_free(list);
        }
        sc_queue_free(queue);
    }
    sc_client_free(client);
    return code;
}
