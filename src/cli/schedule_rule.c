#include "schedule_rule.h"

#include "app/queues.h"
#include "app/schedule_words.h"
#include "app/schedules.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "connect.h"
#include "date.h"

/* A local date is one in the rule's zone. */
static bool read_dates(const struct cli *cli, sc_repeat *repeat)
{
    const char *start = cli_flag(cli, "start"), *end = cli_flag(cli, "end");

    return (!start || cli_date(cli, "--start", start, repeat->tz, &repeat->start_ms)) &&
           (!end || cli_date(cli, "--end", end, repeat->tz, &repeat->end_ms));
}

static bool read_word(const struct cli *cli, const char *flag, const char *const *words,
                      int *ret_word)
{
    const char *text = cli_flag(cli, flag);

    *ret_word = text ? word_find(words, text) : 0;
    if (*ret_word >= 0)
        return true;
    cli_fail(cli, EXIT_USAGE, "--%s: \"%.40s\" is not known; `storychain %s --help` lists them",
             flag, text, cli->cmd->name);
    return false;
}

static bool read_when(const struct cli *cli, const char *when, sc_repeat *repeat)
{
    const char *named = schedule_pattern_find(sc_slice_of(when));
    sc_cron_error error = {.text = ""};
    sc_err err = sc_cron_every(sc_slice_of(when), &repeat->every_ms, &error);

    if (err == SC_ENOTFOUND)
        repeat->pattern = sc_slice_of(named ? named : when);
    if (!err || err == SC_ENOTFOUND)
        return true;
    cli_fail(cli, EXIT_USAGE, "%s", error.text);
    return false;
}

static bool read_policies(struct cli *cli, sc_repeat *repeat)
{
    int overlap, catchup, dst;

    if (!read_word(cli, "overlap", overlap_words, &overlap) ||
        !read_word(cli, "catchup", catchup_words, &catchup) ||
        !read_word(cli, "dst", dst_words, &dst) ||
        !cli_flag_time(cli, "window", 0, &repeat->catchup_window_ms) ||
        !cli_flag_time(cli, "jitter", 0, &repeat->jitter_ms))
        return false;
    repeat->overlap = (sc_overlap)overlap;
    repeat->catchup = (sc_catchup)catchup;
    repeat->dst = (sc_cron_dst)dst;
    repeat->exclude = sc_slice_of(cli_flag(cli, "exclude"));
    return true;
}

bool cli_schedule_rule(struct cli *cli, const char *when, sc_repeat *ret_repeat)
{
    sc_repeat repeat = SC_REPEAT_INIT;

    repeat.tz = sc_slice_of(cli_flag(cli, "tz"));
    if (!read_when(cli, when, &repeat) || !read_dates(cli, &repeat) ||
        !cli_flag_int(cli, "limit", 0, 1, INT64_MAX, &repeat.limit) || !read_policies(cli, &repeat))
        return false;
    *ret_repeat = repeat;
    return true;
}

int cli_on_schedules(struct cli *cli, int (*act)(struct cli *cli, sc_queue *queue))
{
    const char *name = cli_flag(cli, "queue");
    sc_client *client;
    sc_queue *queue;
    int code = cli_connect(cli, &client);

    if (code)
        return code;
    code = cli_open_queue(cli, client,
                          sc_slice_of(name ? name : queue_rule_of(QUEUE_SCHEDULED)->name), &queue);
    if (!code) {
        code = act(cli, queue);
        sc_queue_free(queue);
    }
    sc_client_free(client);
    return code;
}

static void print_change(int before_s, const sc_local_time *now)
{
    int by = now->offset_s - before_s;

    printf("  -- clocks go %s by %d min: %s from here on\n", by < 0 ? "back" : "forward",
           (by < 0 ? -by : by) / 60, now->abbreviation);
}

static void print_time(const sc_local_time *local, const char *utc)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};

    printf("%s %04d-%02d-%02d %02d:%02d:%02d %-6s %s\n", days[local->weekday], local->year,
           local->month, local->day, local->hour, local->minute, local->second, local->abbreviation,
           utc);
}

bool cli_print_times(struct cli *cli, sc_slice tz, const int64_t *times, size_t count,
                     void **ret_json)
{
    json_t *all = cli->json ? json_array() : NULL;
    char utc[SC__ISO8601_LEN + 1];
    sc_reason reason = {""};
    int offset_s = 0;
    sc_zone *zone;
    sc_err err = sc_zone_open(tz, &zone, &reason);

    if (err) {
        json_decref(all);
        cli_fail_err(cli, err, &reason, NULL);
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sc_local_time local;

        sc_zone_local(zone, times[i], &local);
        sc__iso8601_text(times[i], times[i] % 1000 != 0, utc);
        if (all)
            json_array_append_new(all, json_pack("{s:s, s:i, s:s, s:b}", "utc", utc,
                                                 "offsetSeconds", local.offset_s, "zone",
                                                 local.abbreviation, "dst", local.is_dst));
        else if (i && local.offset_s != offset_s)
            print_change(offset_s, &local);
        if (!all)
            print_time(&local, utc);
        offset_s = local.offset_s;
    }
    sc_zone_close(zone);
    *ret_json = all;
    return true;
}
