/* storychain cron …: when does a cron expression fire, what does it say, what may be wrong with it? */
#include <storychain/cron.h>

#include "base/clock.h"
#include "base/json.h"
#include "cmds.h"
#include "connect.h"
#include "date.h"
#include "logger.h"
#include "run_times.h"

/* What the flags say. */
struct cron_args {
    sc_slice text;
    sc_cron_opts opts;
    int64_t from_ms;
    sc_zone *zone;
    sc_cron_exclusions *exclusions;
};

static void release(struct cron_args *args)
{
    sc_zone_close(args->zone);
    sc_cron_exclusions_free(args->exclusions);
}

static int read_dst(struct cli *cli, sc_cron_dst *ret_dst)
{
    static const char *const names[] = {"vixie", "skip", "bullmq"};
    const char *name = cli_flag(cli, "dst");

    for (size_t i = 0; name && i < sizeof(names) / sizeof(*names); i++)
        if (!strcmp(name, names[i])) {
            *ret_dst = (sc_cron_dst)i;
            return EXIT_OK;
        }
    return name ? cli_fail(cli, EXIT_USAGE, "--dst: \"%.40s\" is not one of vixie, skip, bullmq",
                           name)
                : EXIT_OK;
}

/* "2026-12-25; * * * * 6,0": exclusions with ';' between them. */
static int read_except(struct cli *cli, sc_cron_exclusions **ret_exclusions)
{
    const char *at = cli_flag(cli, "except");
    sc_slice texts[SC_CRON_EXCLUSIONS_MAX + 1];
    sc_cron_error error = {.text = ""};
    size_t count = 0;

    if (!at)
        return EXIT_OK;
    while (*at && count <= SC_CRON_EXCLUSIONS_MAX) {
        size_t len;

        at += strspn(at, " ");
        len = strcspn(at, ";");
        texts[count++] = (sc_slice){at, len};
        at += len + (at[len] == ';');
    }
    switch (sc_cron_exclusions_parse(texts, count, ret_exclusions, NULL, &error)) {
    case SC_OK:
        return EXIT_OK;
    case SC_ESYNTAX:
        return cli_fail(cli, EXIT_USAGE, "--except: %s", error.text);
    default:
        return cli_fail(cli, EXIT_USAGE, "--except: more than %d", SC_CRON_EXCLUSIONS_MAX);
    }
}

/* Reads the flags that a command has; its others are not given. Gives an exit code. */
static int read_args(struct cli *cli, struct cron_args *args)
{
    const char *from = cli_flag(cli, "from"), *seed = cli_flag(cli, "seed");
    sc_reason reason = {""};
    int code;

    *args = (struct cron_args){.text = sc_slice_of(cli->words[0]), .from_ms = sc__wall_ms()};
    args->opts.hash_seed = sc_slice_of(seed);
    args->opts.allow_short = cli_flag(cli, "short") != NULL;
    code = read_dst(cli, &args->opts.dst);
    if (code)
        return code;
    if (from && !cli_date(cli, "--from", from, sc_slice_of(cli_flag(cli, "tz")), &args->from_ms))
        return EXIT_USAGE;
    logger_start("warn", "text"); /* where there is no time zone data */
    if (sc_zone_open(sc_slice_of(cli_flag(cli, "tz")), &args->zone, &reason))
        return cli_fail(cli, EXIT_USAGE, "--tz: %s", reason.text);
    code = read_except(cli, &args->exclusions);
    if (code)
        release(args);
    return code;
}

/* On stderr, when fewer than five fields were given: it is seldom what people mean. */
static void warn_of_short_form(struct cli *cli, const struct cron_args *args)
{
    sc_cron_warnings warnings;

    if (sc_cron_lint(args->text, &args->opts, NULL, args->from_ms, &warnings, NULL))
        return;
    for (size_t i = 0; i < warnings.count; i++)
        if (!strcmp(warnings.items[i].name, "short-form"))
            cli_fail(cli, EXIT_OK, "%s", warnings.items[i].text);
}

int cmd_cron_next(struct cli *cli)
{
    sc_cron_error error = {.text = ""};
    struct cron_args args;
    sc_cron *cron;
    int64_t count;
    int code;

    if (!cli_flag_int(cli, "count", 1, 1, 1000, &count))
        return EXIT_USAGE;
    code = read_args(cli, &args);
    if (code)
        return code;
    if (sc_cron_parse(args.text, &args.opts, &cron, &error)) {
        code = cli_fail(cli, EXIT_USAGE, "%s", error.text);
    } else {
        if (args.opts.allow_short)
            warn_of_short_form(cli, &args);
        code = run_times_print(cli, cron, args.zone, args.exclusions, args.from_ms, count);
        sc_cron_free(cron);
    }
    release(&args);
    return code;
}

int cmd_cron_explain(struct cli *cli)
{
    sc_cron_error error = {.text = ""};
    struct cron_args args;
    char *text;
    int code = read_args(cli, &args);

    if (code)
        return code;
    if (sc_cron_explain(args.text, &args.opts, &text, &error)) {
        code = cli_fail(cli, EXIT_USAGE, "%s", error.text);
    } else {
        if (cli->json)
            code = cli_print_json(cli,
                                  json_pack("{ss, ss}", "expression", cli->words[0], "text", text));
        else
            puts(text);
        sc_free(text);
    }
    release(&args);
    return code;
}

static int print_warnings(struct cli *cli, const sc_cron_warnings *warnings)
{
    AUTO_JSON *all = json_array();

    for (size_t i = 0; i < warnings->count; i++) {
        const sc_cron_warning *w = &warnings->items[i];

        if (cli->json)
            json_array_append_new(all, json_pack("{ss, ss, si, ss}", "name", w->name, "field",
                                                 w->field, "column", w->column, "text", w->text));
        else
            printf("%s: %s\n", w->name, w->text);
    }
    if (cli->json)
        cli_print_json(cli, json_incref(all));
    else if (!warnings->count)
        puts("nothing found");
    return warnings->count ? EXIT_FAILED : EXIT_OK;
}

int cmd_cron_lint(struct cli *cli)
{
    sc_cron_error error = {.text = ""};
    sc_cron_warnings warnings;
    struct cron_args args;
    int code = read_args(cli, &args);

    if (code)
        return code;
    if (sc_cron_lint(args.text, &args.opts, args.zone, args.from_ms, &warnings, &error))
        code = cli_fail(cli, EXIT_USAGE, "%s", error.text);
    else
        code = print_warnings(cli, &warnings);
    release(&args);
    return code;
}
