/* storychain cron …: when does a cron expression fire? */
#include <storychain/cron.h>

#include "base/clock.h"
#include "base/iso8601.h"
#include "base/json.h"
#include "cmds.h"
#include "connect.h"

static int print_times(struct cli *cli, const sc_cron *cron, const sc_zone *zone, int64_t after_ms,
                       int64_t count)
{
    AUTO_JSON *times = json_array();

    for (int64_t i = 0; i < count; i++) {
        char text[SC__ISO8601_LEN + 1];
        sc_err err = sc_cron_next(cron, zone, after_ms, &after_ms);

        if (err == SC_ENOTFOUND && i > 0)
            break;
        if (err == SC_ENOTFOUND)
            return cli_fail(cli, EXIT_NOT_FOUND, "there is no such time before the year 2200");
        if (err)
            return cli_fail_err(cli, err, NULL, NULL);
        sc__iso8601_text(after_ms, false, text);
        if (cli->json)
            json_array_append_new(times, json_string(text));
        else
            puts(text);
    }
    return cli->json ? cli_print_json(cli, json_incref(times)) : EXIT_OK;
}

int cmd_cron_next(struct cli *cli)
{
    const char *from = cli_flag(cli, "from"), *tz = cli_flag(cli, "tz");
    int64_t after_ms = sc__wall_ms(), count;
    sc_cron_error error = {.text = ""};
    sc_reason reason = {""};
    sc_zone *zone;
    sc_cron *cron;
    int code;

    if (!cli_flag_int(cli, "count", 1, 1, 1000, &count))
        return EXIT_USAGE;
    if (from && sc__iso8601_parse(sc_slice_of(from), &after_ms, &reason))
        return cli_fail(cli, EXIT_USAGE, "--from: %s", reason.text);
    if (sc_cron_parse(sc_slice_of(cli->words[0]), NULL, &cron, &error))
        return cli_fail(cli, EXIT_USAGE, "%s", error.text);
    if (sc_zone_open(sc_slice_of(tz), &zone, &reason)) {
        sc_cron_free(cron);
        return cli_fail(cli, EXIT_USAGE, "--tz: %s", reason.text);
    }
    code = print_times(cli, cron, zone, after_ms, count);
    sc_zone_close(zone);
    sc_cron_free(cron);
    return code;
}
