/* storychain queue concurrency|rate-limit: settings of a queue that all its workers obey: shown, set, taken away. */
#include <storychain/control.h>

#include "app/job_shapes.h"
#include "base/str.h"
#include "cmds.h"
#include "connect.h"

enum { SETTING_MAX = 1000000000 };

/* A number from 1 among the words; false after a message. */
static bool read_word(const struct cli *cli, int at, const char *what, int64_t *ret_number)
{
    if (sc__int_parse(sc_slice_of(cli->words[at]), ret_number) && *ret_number >= 1 &&
        *ret_number <= SETTING_MAX)
        return true;
    cli_fail(cli, EXIT_USAGE, "%s: \"%.40s\" is not a whole number from 1 to %d", what,
             cli->words[at], SETTING_MAX);
    return false;
}

static bool wants_both(const struct cli *cli)
{
    if (!cli_flag(cli, "remove") || cli->word_count == 1)
        return false;
    cli_fail(cli, EXIT_USAGE, "--remove goes without a new value");
    return true;
}

static int say_concurrency(struct cli *cli, int64_t number)
{
    if (cli->json)
        return cli_print_json(cli, json_pack("{s:o, s:o}", "queue",
                                             text_shape(sc_slice_of(cli->words[0])), "concurrency",
                                             number ? json_integer(number) : json_null()));
    if (number)
        printf("%s: at most %lld job%s at once, over all workers\n", cli->words[0],
               (long long)number, cli_plural(number));
    else
        printf("%s: as many jobs at once as its workers take\n", cli->words[0]);
    return EXIT_OK;
}

static int concurrency(struct cli *cli, sc_queue *queue)
{
    sc_reason why = {""};
    int64_t number = 0;
    sc_err err;

    if (cli_flag(cli, "remove")) {
        err = sc_queue_remove_global_concurrency(queue, &why);
    } else if (cli->word_count > 1) {
        if (!read_word(cli, 1, "N", &number))
            return EXIT_USAGE;
        err = sc_queue_set_global_concurrency(queue, number, &why);
    } else {
        err = sc_queue_get_global_concurrency(queue, &number, &why);
    }
    return err ? cli_fail_err(cli, err, &why, NULL) : say_concurrency(cli, number);
}

int cmd_queue_concurrency(struct cli *cli)
{
    return wants_both(cli) ? EXIT_USAGE : cli_on_queue(cli, concurrency);
}

static int say_limit(struct cli *cli, const sc_global_rate_limit *limit)
{
    json_t *shape;

    if (!cli->json) {
        if (limit->max)
            printf("%s: at most %lld job%s started in %lld ms\n", cli->words[0],
                   (long long)limit->max, limit->max == 1 ? " is" : "s are",
                   (long long)limit->duration_ms);
        else
            printf("%s: no limit but its workers' own\n", cli->words[0]);
        return EXIT_OK;
    }
    shape = limit->max ? json_pack("{s:I, s:I}", "max", (json_int_t)limit->max, "duration_ms",
                                   (json_int_t)limit->duration_ms)
                       : json_null();
    return cli_print_json(cli,
                          json_pack("{s:o, s:o}", "queue", text_shape(sc_slice_of(cli->words[0])),
                                    "rate_limit", shape));
}

static int rate_limit(struct cli *cli, sc_queue *queue)
{
    sc_global_rate_limit limit = {0};
    sc_reason why = {""};
    sc_err err;

    if (cli_flag(cli, "remove")) {
        err = sc_queue_remove_global_rate_limit(queue, &why);
    } else if (cli->word_count > 1) {
        if (!read_word(cli, 1, "MAX", &limit.max))
            return EXIT_USAGE;
        if (!option_duration(cli->words[2], &limit.duration_ms) || limit.duration_ms < 1)
            return cli_fail(cli, EXIT_USAGE,
                            "TIME: \"%.40s\" is not a time; write it like 500ms, 30s, 5m or 1h",
                            cli->words[2]);
        err = sc_queue_set_global_rate_limit(queue, &limit, &why);
    } else {
        err = sc_queue_get_global_rate_limit(queue, &limit, &why);
    }
    return err ? cli_fail_err(cli, err, &why, NULL) : say_limit(cli, &limit);
}

int cmd_queue_rate_limit(struct cli *cli)
{
    if (wants_both(cli))
        return EXIT_USAGE;
    if (cli->word_count == 2)
        return cli_fail(cli, EXIT_USAGE, "a rate limit is MAX jobs in a TIME: two words");
    return cli_on_queue(cli, rate_limit);
}
