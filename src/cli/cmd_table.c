#include "cmds.h"

#define REDIS "redis-url state-dir prefix"
#define SERVER                                                                                     \
    "state-dir redis-url store-url smtp-url mail-from site-url prefix drain log-level log-format " \
    "config"

#define QUEUE_OF                                                                                   \
    {                                                                                              \
        "queue", "QUEUE", "of that queue (default: StoryChain's own)"                              \
    }
#define WHEN "WHEN is a cron expression, a name of one (EVERY_HOUR, …), or `@every 90s`."
#define DATES                                                                                      \
    "Dates: 2026-03-28 (its beginning), 2026-03-28T02:00 (both in the zone), or with\na zone of "  \
    "their own: 2026-03-28T01:00:00Z."
#define RULE_FLAGS                                                                                 \
    {"tz", "ZONE", "the zone of a cron expression (default UTC)"},                                 \
        {"start", "DATE", "no run before"}, {"end", "DATE", "no run after"},                       \
        {"exclude", "DAYS", "no run then: 2026-12-25|2026-12-27/2027-01-01|* * * * SUN"},          \
    {                                                                                              \
        "dst", "MODE", "where clocks change: vixie, skip, bullmq"                                  \
    }

#define SLICES "Goes in slices that hold up nobody; Ctrl-C stops between two of them."

#define CRON_TZ "time zone, an IANA name (default UTC)"
#define CRON_DST "where clocks change: vixie (default), skip or bullmq"
#define CRON_SEED "what H hashes, such as the id of a schedule"
#define CRON_SHORT "fewer than five fields, too, as BullMQ reads them"

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

    {.name = "queue show", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_show, .options = REDIS,
     .summary = "one queue: jobs by state, settings"},
    {.name = "queue concurrency", .words = "QUEUE [N]", .words_min = 1, .words_max = 2, .run = cmd_queue_concurrency, .options = REDIS,
     .summary = "how many jobs of a queue run at once, over all workers: shown, or set to N",
     .flags = {{"remove", NULL, "no such limit any more"}}},
    {.name = "queue rate-limit", .words = "QUEUE [MAX TIME]", .words_min = 1, .words_max = 3, .run = cmd_queue_rate_limit, .options = REDIS,
     .summary = "how many jobs of a queue are started in a time: shown, or set",
     .more = "  storychain queue rate-limit email 100 1m",
     .flags = {{"remove", NULL, "no such limit any more"}}},
    {.name = "queue retry", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_retry, .options = REDIS,
     .summary = "run all failed jobs of a queue again",
     .more = SLICES,
     .flags = {{"state", "STATE", "failed (default) or completed"},
               {"limit", "N", "at most N, those first that ended first"}}},
    {.name = "queue promote", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_promote, .options = REDIS,
     .summary = "run all delayed jobs of a queue now",
     .more = SLICES,
     .flags = {{"limit", "N", "at most N, those first that are due first"}}},
    {.name = "queue drain", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_drain, .options = REDIS,
     .summary = "remove all jobs of a queue that wait",
     .more = SLICES,
     .flags = {{"delayed", NULL, "delayed jobs, too"}, {"yes", NULL, "really; without it only the number is said"}}},
    {.name = "queue clean", .words = "QUEUE STATE", .words_min = 2, .words_max = 2, .run = cmd_queue_clean, .options = REDIS,
     .summary = "remove the jobs of a state, oldest first",
     .more = "STATE: waiting, active, delayed, prioritized, completed, failed. Of active\njobs only those that no worker has.\n" SLICES,
     .flags = {{"older-than", "TIME", "only jobs of that age: since they ended, began or were made"},
               {"limit", "N", "at most N"}, {"yes", NULL, "really; without it only the number is said"}}},
    {.name = "queue obliterate", .words = "QUEUE", .words_min = 1, .words_max = 1, .run = cmd_queue_obliterate, .options = REDIS,
     .summary = "remove a queue with all its jobs, schedules, events and settings",
     .more = "The queue is paused first, and stays so when this is stopped.\n" SLICES,
     .flags = {{"force", NULL, "also if jobs are active"}, {"yes", NULL, "really; without it only the number is said"}}},
    {.name = "queue trim-events", .words = "QUEUE KEEP", .words_min = 2, .words_max = 2, .run = cmd_queue_trim_events, .options = REDIS,
     .summary = "remove all events of a queue but about the newest KEEP",
     .flags = {{"yes", NULL, "really"}}},

    {.name = "enqueue", .words = "QUEUE NAME [DATA]", .words_min = 2, .words_max = 3, .run = cmd_enqueue, .options = REDIS,
     .summary = "add a job to a queue",
     .more = "DATA is JSON; - reads it from stdin; without it, {}.\n\n"
             "  storychain enqueue email welcome '{\"to\":\"ada@example.org\"}' --delay 5m",
     .flags = {{"id", "ID", "an id of its own; one that exists is left as it is"},
               {"delay", "TIME", "not before that time has passed"},
               {"priority", "N", "0 to 2097151; jobs without one go first, then 1, 2, …"},
               {"attempts", "N", "tries in all (default 1)"},
               {"backoff", "TIME", "before the second try; twice as long before each next one"},
               {"lifo", NULL, "to the head of the queue"}}},
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
    {.name = "job logs", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_logs, .options = REDIS,
     .summary = "what a job's processor logged, oldest first",
     .flags = {{"from", "N", "the first row, counted from 0 (default 0)"}, {"limit", "N", "at most N rows, 1 to 1000 (default 1000)"}}},
    {.name = "job update", .words = "QUEUE ID DATA", .words_min = 3, .words_max = 3, .run = cmd_job_update, .options = REDIS,
     .summary = "give a job other data: JSON, or - for stdin"},
    {.name = "job retry", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_retry, .options = REDIS,
     .summary = "run a failed or completed job again"},
    {.name = "job promote", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_promote, .options = REDIS,
     .summary = "run a delayed job now"},
    {.name = "job remove", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_remove, .options = REDIS,
     .summary = "remove a job that is not running"},
    {.name = "job cancel", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_job_cancel, .options = REDIS,
     .summary = "let a job fail for good, and tell it to stop if it runs",
     .flags = {{"reason", "TEXT", "why; stands in the job's reason"}}},

    {.name = "flow show", .words = "QUEUE ID", .words_min = 2, .words_max = 2, .run = cmd_flow_show, .options = REDIS,
     .summary = "a job and the jobs that it waits for, as a tree",
     .flags = {{"depth", "N", "levels, its own included, 1 to 100 (default 10)"},
               {"children", "N", "at most N children of each kind of each job, 1 to 1000 (default 20)"}}},

    {.name = "schedule list", .run = cmd_schedule_list, .options = REDIS,
     .summary = "schedules and their next runs",
     .flags = {QUEUE_OF}},
    {.name = "schedule show", .words = "ID", .words_min = 1, .words_max = 1, .run = cmd_schedule_show, .options = REDIS,
     .summary = "one schedule: its rule, its next times, its last runs",
     .flags = {QUEUE_OF}},
    {.name = "schedule upsert", .words = "ID WHEN [DATA]", .words_min = 2, .words_max = 3, .run = cmd_schedule_upsert, .options = REDIS,
     .summary = "store a schedule, or change it",
     .more = WHEN "\n" DATES "\nDATA is the JSON of its jobs (default {}). `schedule preview` shows the times\n"
             "before. With --overlap, --catchup, --jitter, --exclude or --dst its runs are\n"
             "made by guardians (storychain serve, storychain worker) on StoryChain's queue.\n\n"
             "  storychain schedule upsert nightly '0 3 * * *' --tz Europe/Berlin --jitter 10m",
     .flags = {QUEUE_OF, {"name", "NAME", "of its jobs (default: ID)"}, RULE_FLAGS,
               {"limit", "N", "at most N jobs"},
               {"overlap", "POLICY", "a run is due before the last has ended: allow, skip, buffer-one, buffer-all"},
               {"catchup", "POLICY", "runs that nobody made in time: late, none, one, all"},
               {"window", "TIME", "how late --catchup one and all may be"},
               {"jitter", "TIME", "each run comes later by a part of it"}}},
    {.name = "schedule preview", .words = "WHEN", .words_min = 1, .words_max = 1, .run = cmd_schedule_preview, .options = "",
     .summary = "the next times of a schedule that is not stored, in its zone and in UTC",
     .more = WHEN "\n" DATES "\n\n  storychain schedule preview '30 2 * * *' --tz Europe/Berlin",
     .flags = {{"count", "N", "how many, 1 to 1000 (default 10)"}, {"from", "DATE", "after that (default: now)"},
               {"id", "ID", "of the schedule: what H in a pattern hashes"}, RULE_FLAGS}},
    {.name = "schedule run", .words = "ID", .words_min = 1, .words_max = 1, .run = cmd_schedule_run, .options = REDIS,
     .summary = "add a run of a schedule now, beside its own",
     .flags = {QUEUE_OF}},
    {.name = "schedule pause", .words = "ID", .words_min = 1, .words_max = 1, .run = cmd_schedule_pause, .options = REDIS,
     .summary = "skip a schedule's runs until it is resumed",
     .flags = {QUEUE_OF}},
    {.name = "schedule resume", .words = "ID", .words_min = 1, .words_max = 1, .run = cmd_schedule_resume, .options = REDIS,
     .summary = "make a paused schedule's runs again, from its next time on",
     .flags = {QUEUE_OF}},
    {.name = "schedule remove", .words = "ID", .words_min = 1, .words_max = 1, .run = cmd_schedule_remove, .options = REDIS,
     .summary = "remove a schedule and its pending job",
     .flags = {QUEUE_OF}},
    {.name = "schedule backfill", .words = "ID FROM TO", .words_min = 3, .words_max = 3, .run = cmd_schedule_backfill, .options = REDIS,
     .summary = "add the runs that a schedule would have had from one date to another",
     .more = "Times whose job is still there get no second one.\n" DATES "\n\n"
             "  storychain schedule backfill nightly 2026-03-01 2026-03-08",
     .flags = {QUEUE_OF, {"per-minute", "N", "so many a minute (default 60); 0: all at once"}}},

    {.name = "cache get", .words = "KEY", .words_min = 1, .words_max = 1, .run = cmd_cache_get,
     .options = "redis-url state-dir",
     .summary = "a cached value",
     .more = "  storychain cache get sc:story:list:new\n\n"
             "Into a file or another program goes the value alone, on a terminal a line."},
    {.name = "cache set", .words = "KEY VALUE", .words_min = 2, .words_max = 2, .run = cmd_cache_set, .options = "redis-url state-dir",
     .summary = "cache a value; - reads it from stdin",
     .flags = {{"ttl", "TIME", "how long it stays (default 1h); 0: removed"}}},
    {.name = "cache del", .words = "KEY...", .words_min = 1, .words_max = 1000, .run = cmd_cache_del, .options = "redis-url state-dir",
     .summary = "remove cached values"},
    {.name = "cache invalidate", .words = "WHAT...", .words_min = 1, .words_max = 1000, .run = cmd_cache_invalidate,
     .options = "redis-url state-dir",
     .summary = "remove cached values by key, tag or pattern",
     .more = "A pattern (* ? [] \\) may match keys of other programs, queues too: without\n"
             "--yes only their number is said.\n" SLICES "\n\n"
             "  storychain cache invalidate --tag story:1\n"
             "  storychain cache invalidate --pattern 'sc:story:*' --yes",
     .flags = {{"tag", NULL, "WHAT are tags"},
               {"pattern", NULL, "WHAT are patterns of keys"},
               {"expire", NULL, "values that have a grace stay, to be given until there are newer ones; not for patterns"},
               {"yes", NULL, "really remove all keys that match"}}},
    {.name = "cache stats", .run = cmd_cache_stats, .options = "redis-url state-dir listen",
     .summary = "hits, misses, memory: figures of the running server and of Redis",
     .more = "The server is asked at --listen, where `storychain serve` listens."},
    {.name = "cache top", .words = "[PATTERN]", .words_max = 1, .run = cmd_cache_top, .options = "redis-url state-dir",
     .summary = "the largest keys, of those that match (default sc:*)",
     .flags = {{"reads", NULL, "those read most; Redis counts that with a maxmemory-policy of LFU"},
               {"limit", "N", "at most N, 1 to 1000 (default 20)"},
               {"look", "N", "look at about N keys at most (default 100000)"}}},
    {.name = "cache watch", .words = "[PREFIX]", .words_max = 1, .run = cmd_cache_watch, .options = "redis-url state-dir listen",
     .summary = "which keys change, and how many reads hit, as it happens",
     .more = "A line a key that is set, removed, expired or evicted, of those that begin with\n"
             "PREFIX (default sc:; \"\": all). From time to time a line about reads: those of\n"
             "the server at --listen, or when none answers there all of Redis. Ends by\n"
             "Ctrl-C.",
     .flags = {{"every", "TIME", "how often reads are counted (default 5s)"},
               {"quiet", NULL, "only the counts"}}},

    {.name = "cron next", .words = "EXPRESSION", .words_min = 1, .words_max = 1, .run = cmd_cron_next, .options = "",
     .summary = "the next times of a cron expression",
     .more = "EXPRESSION has five fields (minute hour day month weekday), or six with\n"
             "seconds first; quote it. Prints UTC, and with --tz what clocks show there,\n"
             "marked where they change.\n\n"
             "  storychain cron next '0 3 * * *' --tz Europe/Berlin --count 5\n"
             "  storychain cron next '*/30 9-17 * * 1-5' --except '2026-12-24/2026-12-31'",
     .flags = {{"tz", "ZONE", CRON_TZ},
               {"from", "DATE", "times after 2026-03-28 (its beginning), 2026-03-28T02:00 (both in the zone), 2026-03-28T00:00:00Z (default: now)"},
               {"count", "N", "how many, 1 to 1000 (default 1)"},
               {"except", "LIST", "leave out days, days from/to, or what another expression matches; ';' between"},
               {"dst", "MODE", CRON_DST}, {"seed", "TEXT", CRON_SEED}, {"short", NULL, CRON_SHORT}}},
    {.name = "cron explain", .words = "EXPRESSION", .words_min = 1, .words_max = 1, .run = cmd_cron_explain, .options = "",
     .summary = "a cron expression in words",
     .more = "  storychain cron explain '0 9 * * 1-5'",
     .flags = {{"seed", "TEXT", CRON_SEED}, {"short", NULL, CRON_SHORT}}},
    {.name = "cron lint", .words = "EXPRESSION", .words_min = 1, .words_max = 1, .run = cmd_cron_lint, .options = "",
     .summary = "what is valid in a cron expression, but perhaps not meant",
     .more = "Exit code 1 if there is something, a line each; docs/cron.md lists the names.\n\n"
             "  storychain cron lint '30 2 * * *' --tz America/New_York",
     .flags = {{"tz", "ZONE", CRON_TZ},
               {"from", "DATE", "changes of clocks in the ten years after this one (default: now)"},
               {"dst", "MODE", CRON_DST}, {"seed", "TEXT", CRON_SEED}, {"short", NULL, CRON_SHORT}}},
    {.name = NULL},
};
/* clang-format on */
