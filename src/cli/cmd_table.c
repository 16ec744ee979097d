#include "cmds.h"

#define REDIS "redis-url state-dir prefix"
#define SERVER                                                                                     \
    "state-dir redis-url store-url smtp-url mail-from site-url prefix drain log-level log-format " \
    "config"

/* clang-format off */
const struct cmd cmd_table[] = {
    {.name = "serve", .run = cmd_serve, .options = "listen allow-remote " SERVER,
     .summary = "serve the StoryChain API and dashboard, run its jobs and schedules",
     .more = "Needs no configuration: without REDIS_URL it starts a Redis of its own,\n"
             "which ends with it. Ctrl-C or SIGTERM ends it: running jobs get up to\n"
             "--drain, the rest are handed back. With --json: one line of JSON that says\n"
             "where everything is.",
     .flags = {{"sample", NULL, "import a small story of ours, if it is not there yet"}}},
    {.name = "worker", .run = cmd_worker, .options = SERVER,
     .summary = "run jobs only, beside a `storychain serve` or on its own",
     .more = "Uses the Redis of --redis-url, else that of the `storychain serve` with the\n"
             "same state folder."},

    {.name = "story import", .words = "FILE...", .words_min = 1, .words_max = 1000, .run = cmd_story_import,
     .options = "state-dir store-url redis-url",
     .summary = "import stories from JSON or Markdown files",
     .more = "Each file is checked whole before anything of it is stored;\n"
             "docs/story-format.md describes both formats. With --json: one object a\n"
             "file, each in a line of its own."},
    {.name = "story list", .run = cmd_story_list, .options = "state-dir store-url",
     .summary = "the stories, newest first",
     .flags = {{"limit", "N", "at most N, 1 to 1000 (default 50)"}}},

    {.name = "queue list", .run = cmd_queue_list, .options = REDIS,
     .summary = "queues and how many jobs are in each state"},
    {.name = "queue pause", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_pause, .options = REDIS,
     .summary = "stop handing out a queue's jobs, for all workers"},
    {.name = "queue resume", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_resume, .options = REDIS,
     .summary = "hand out a paused queue's jobs again"},

    {.name = "events", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_events, .options = REDIS,
     .summary = "what happens in a queue, as it happens",
     .more = "A line an event: its id, its name, its fields; with --json an object a line.\n"
             "Ends by Ctrl-C.",
     .flags = {{"from", "ID", "behind the event of that id; 0: all there are (default: from now on)"}}},

    {.name = "job list", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_job_list, .options = REDIS,
     .summary = "jobs of a queue, newest first",
     .flags = {{"state", "STATE", "waiting (default), active, delayed, prioritized, waiting-children, completed, failed"},
               {"limit", "N", "at most N, 1 to 1000 (default 20)"}}},
    {.name = "job show", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_show, .options = REDIS,
     .summary = "one job: data, options, state, result, log"},
    {.name = "job retry", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_retry, .options = REDIS,
     .summary = "run a failed or completed job again"},
    {.name = "job promote", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_promote, .options = REDIS,
     .summary = "run a delayed job now"},
    {.name = "job remove", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_remove, .options = REDIS,
     .summary = "remove a job that is not running"},
    {.name = "job cancel", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_cancel, .options = REDIS,
     .summary = "let a job fail for good, and tell it to stop if it runs",
     .flags = {{"reason", "TEXT", "why; stands in the job's reason"}}},

    {.name = "schedule list", .run = cmd_schedule_list, .options = REDIS,
     .summary = "schedules and their next runs",
     .flags = {{"queue", "QUEUE", "of that queue (default: StoryChain's own)"}}},

    {.name = "cache get", .words = "KEY", .words_min = 1, .words_max = 1, .run = cmd_cache_get,
     .options = "redis-url state-dir",
     .summary = "a cached value",
     .more = "  storychain cache get sc:story:list:new"},

    {.name = "cron next", .words = "EXPRESSION", .words_min = 1, .words_max = 1, .run = cmd_cron_next, .options = "",
     .summary = "the next times of a cron expression",
     .more = "EXPRESSION has five fields (minute hour day month weekday), or six with\n"
             "seconds first; quote it. Prints UTC times, one a line.\n\n"
             "  storychain cron next '0 3 * * *' --tz Europe/Berlin --count 5\n"
             "  storychain cron next '*/30 9-17 * * 1-5' --from 2026-03-28T00:00:00Z",
     .flags = {{"tz", "ZONE", "time zone, an IANA name (default UTC)"},
               {"from", "TIME", "times after this one, like 2026-03-28T00:00:00Z (default: now)"},
               {"count", "N", "how many, 1 to 1000 (default 1)"}}},
    {.name = NULL},
};
/* clang-format on */
