/* The commands' functions, for the table. Each gives an exit code. */
#ifndef CLI_CMDS_H
#define CLI_CMDS_H

#include "cmd.h"

int cmd_serve(struct cli *cli);
int cmd_worker(struct cli *cli);
int cmd_story_import(struct cli *cli);
int cmd_story_list(struct cli *cli);
int cmd_queue_list(struct cli *cli);
int cmd_queue_pause(struct cli *cli);
int cmd_queue_resume(struct cli *cli);
int cmd_queue_show(struct cli *cli);
int cmd_queue_drain(struct cli *cli);
int cmd_queue_clean(struct cli *cli);
int cmd_queue_obliterate(struct cli *cli);
int cmd_queue_retry(struct cli *cli);
int cmd_queue_promote(struct cli *cli);
int cmd_queue_trim_events(struct cli *cli);
int cmd_queue_concurrency(struct cli *cli);
int cmd_queue_rate_limit(struct cli *cli);
int cmd_enqueue(struct cli *cli);
int cmd_events(struct cli *cli);
int cmd_job_list(struct cli *cli);
int cmd_job_show(struct cli *cli);
int cmd_job_logs(struct cli *cli);
int cmd_job_update(struct cli *cli);
int cmd_job_retry(struct cli *cli);
int cmd_job_promote(struct cli *cli);
int cmd_job_remove(struct cli *cli);
int cmd_job_cancel(struct cli *cli);
int cmd_flow_show(struct cli *cli);
int cmd_schedule_list(struct cli *cli);
int cmd_schedule_show(struct cli *cli);
int cmd_schedule_upsert(struct cli *cli);
int cmd_schedule_preview(struct cli *cli);
int cmd_schedule_run(struct cli *cli);
int cmd_schedule_pause(struct cli *cli);
int cmd_schedule_resume(struct cli *cli);
int cmd_schedule_remove(struct cli *cli);
int cmd_schedule_backfill(struct cli *cli);
int cmd_cache_get(struct cli *cli);
int cmd_cache_set(struct cli *cli);
int cmd_cache_del(struct cli *cli);
int cmd_cache_invalidate(struct cli *cli);
int cmd_cache_stats(struct cli *cli);
int cmd_cache_top(struct cli *cli);
int cmd_cache_watch(struct cli *cli);
int cmd_cron_next(struct cli *cli);
int cmd_cron_explain(struct cli *cli);
int cmd_cron_lint(struct cli *cli);

#endif
