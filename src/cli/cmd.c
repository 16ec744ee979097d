#include "cmd.h"

#include "base/str.h"
#include "help.h"

#include <stdlib.h>

enum { ARENA_MAX = 64 * 1024 * 1024 };

const char *cli_flag(const struct cli *cli, const char *name)
{
    for (int i = 0; i < CMD_FLAGS_MAX && cli->cmd->flags[i].name; i++)
        if (!strcmp(cli->cmd->flags[i].name, name))
            return cli->flags[i];
    return NULL;
}

bool cli_flag_int(const struct cli *cli, const char *name, int64_t otherwise, int64_t min,
                  int64_t max, int64_t *ret_value)
{
    const char *text = cli_flag(cli, name);

    *ret_value = otherwise;
    if (!text)
        return true;
    if (sc__int_parse(sc_slice_of(text), ret_value) && *ret_value >= min && *ret_value <= max)
        return true;
    cli_fail(cli, EXIT_USAGE, "--%s: \"%.40s\" is not a whole number from %lld to %lld", name, text,
             (long long)min, (long long)max);
    return false;
}

bool cli_flag_time(const struct cli *cli, const char *name, int64_t otherwise, int64_t *ret_ms)
{
    const char *text = cli_flag(cli, name);

    *ret_ms = otherwise;
    if (!text || (option_duration(text, ret_ms) && *ret_ms >= 0))
        return true;
    cli_fail(cli, EXIT_USAGE, "--%s: \"%.40s\" is not a time; write it like 500ms, 30s, 5m or 1h",
             name, text);
    return false;
}

const char *cli_plural(int64_t count)
{
    return count == 1 ? "" : "s";
}

int cli_fail(const struct cli *cli, int code, const char *fmt, ...)
{
    va_list args;

    fflush(stdout);
    fprintf(stderr, "storychain%s%s: ", cli->cmd ? " " : "", cli->cmd ? cli->cmd->name : "");
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    return code;
}

int cli_fail_err(const struct cli *cli, sc_err err, const sc_reason *reason, const char *what)
{
    int code = EXIT_FAILED;

    if (err == SC_ENOTFOUND || err == SC_ENOJOB)
        code = EXIT_NOT_FOUND;
    else if (err == SC_ECONNECT || err == SC_ECONNLOST || err == SC_ETIMEDOUT || err == SC_EAUTH)
        code = EXIT_UNREACHABLE;
    else if (err == SC_EINVAL || err == SC_ESYNTAX || err == SC_ETOOBIG)
        code = EXIT_USAGE;
    else if (err == SC_EJOBSTATE || err == SC_ELOCKLOST || err == SC_ESCHEDULED)
        code = EXIT_REFUSED;
    if (reason && reason->text[0])
        return cli_fail(cli, code, "%s%s%s", what ? what : "", what ? ": " : "", reason->text);
    return cli_fail(cli, code, "%s%s%s", what ? what : "", what ? ": " : "", sc_err_text(err));
}

/* The command whose words the arguments start with; `*ret_words` is how many. The longest wins. */
static const struct cmd *find_cmd(int argc, char **argv, int *ret_words)
{
    const struct cmd *best = NULL;

    *ret_words = 0;
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++) {
        const char *at = cmd->name;
        int n = 0;

        while (*at && n < argc) {
            size_t len = strcspn(at, " ");

            if (strlen(argv[n]) != len || strncmp(at, argv[n], len))
                break;
            at += len + (at[len] == ' ');
            n++;
        }
        if (!*at && n > *ret_words) {
            best = cmd;
            *ret_words = n;
        }
    }
    return best;
}

struct parse {
    struct cli *cli;
    struct options_reader reader;
    int argc, at;
    char **argv;
    bool help;
};

/* The value of the flag at p->at: after its '=', or the next argument. NULL after a message if there is none. */
static const char *flag_value(struct parse *p, const char *arg, const char *equals)
{
    if (equals)
        return equals + 1;
    if (p->at + 1 < p->argc)
        return p->argv[++p->at];
    cli_fail(p->cli, EXIT_USAGE, "%s needs a value", arg);
    return NULL;
}

static int take_own_flag(struct parse *p, int i, const char *arg, const char *equals)
{
    const struct cmd_flag *flag = &p->cli->cmd->flags[i];

    if (!flag->arg && equals)
        return cli_fail(p->cli, EXIT_USAGE, "--%s takes no value", flag->name);
    p->cli->flags[i] = flag->arg ? flag_value(p, arg, equals) : "";
    return p->cli->flags[i] ? EXIT_OK : EXIT_USAGE;
}

static int take_option(struct parse *p, const struct option_row *row, const char *arg,
                       const char *equals)
{
    const char *value = row->arg || equals ? flag_value(p, arg, equals) : "yes";
    sc_reason reason = {""};
    char where[64];

    if (!value)
        return EXIT_USAGE;
    snprintf(where, sizeof(where), "--%s", row->flag);
    p->reader.set[row - options_table] = true;
    if (option_set(&p->reader, row, value, where, &reason))
        return cli_fail(p->cli, EXIT_USAGE, "%s", reason.text);
    return EXIT_OK;
}

static int take_flag(struct parse *p, const char *arg)
{
    const char *equals = strchr(arg, '=');
    sc_slice name = {arg + 2, equals ? (size_t)(equals - arg - 2) : strlen(arg + 2)};
    const struct option_row *row = option_find(name);

    if (sc_slice_eq(name, SC_S("help"))) {
        p->help = true;
        return EXIT_OK;
    }
    if (sc_slice_eq(name, SC_S("json"))) {
        p->cli->json = true;
        return EXIT_OK;
    }
    for (int i = 0; i < CMD_FLAGS_MAX && p->cli->cmd->flags[i].name; i++)
        if (sc_slice_eq(name, sc_slice_of(p->cli->cmd->flags[i].name)))
            return take_own_flag(p, i, arg, equals);
    if (row)
        return take_option(p, row, arg, equals);
    return cli_fail(p->cli, EXIT_USAGE,
                    "there is no option %.60s; `storychain %s --help` lists them", arg,
                    p->cli->cmd->name);
}

/* Flags into the reader and the command, other arguments to the front of argv as its words. */
static int parse_args(struct parse *p)
{
    bool only_words = false;
    int code = EXIT_OK;

    for (; !code && p->at < p->argc; p->at++) {
        char *arg = p->argv[p->at];

        if (only_words || arg[0] != '-' || !arg[1])
            p->cli->words[p->cli->word_count++] = arg;
        else if (!strcmp(arg, "--"))
            only_words = true;
        else if (!strcmp(arg, "-h"))
            p->help = true;
        else if (arg[1] != '-')
            code = cli_fail(p->cli, EXIT_USAGE,
                            "there is no option %.20s; options are written out, like --json", arg);
        else
            code = take_flag(p, arg);
    }
    return code;
}

static int check_words(const struct cli *cli)
{
    const struct cmd *cmd = cli->cmd;

    if (cli->word_count < cmd->words_min)
        return cli_fail(cli, EXIT_USAGE, "it needs %s; see `storychain %s --help`", cmd->words,
                        cmd->name);
    if (cli->word_count > cmd->words_max)
        return cli_fail(
            cli, EXIT_USAGE, "\"%.60s\" is one word too many (%s); see `storychain %s --help`",
            cli->words[cmd->words_max],
            cmd->words ? "a word with blanks goes in quotes" : "it takes none", cmd->name);
    return EXIT_OK;
}

static int run_cmd(struct cli *cli, int argc, char **argv)
{
    struct parse p = {
        .cli = cli, .reader = {&cli->options, &cli->arena, {false}}, .argc = argc, .argv = argv};
    sc_reason reason = {""};
    int code = parse_args(&p);

    if (code)
        return code;
    if (p.help) {
        help_cmd(cli->cmd);
        return EXIT_OK;
    }
    code = check_words(cli);
    if (code)
        return code;
    if (options_finish(&p.reader, &reason))
        return cli_fail(cli, EXIT_USAGE, "%s", reason.text);
    return cli->cmd->run(cli);
}

static int run(struct cli *cli, int argc, char **argv)
{
    int words;

    if (argc < 2 || !strcmp(argv[1], "help") || !strcmp(argv[1], "--help") ||
        !strcmp(argv[1], "-h"))
        return help_main(argc > 2 ? argc - 2 : 0, argv + 2);
    if (!strcmp(argv[1], "--version")) {
        printf("storychain %s\n", sc_version());
        return EXIT_OK;
    }
    cli->cmd = find_cmd(argc - 1, argv + 1, &words);
    if (!cli->cmd && argc == 3 && (!strcmp(argv[2], "--help") || !strcmp(argv[2], "-h")))
        return help_main(1, argv + 1);
    if (!cli->cmd)
        return help_unknown(argc - 1, argv + 1);
    return run_cmd(cli, argc - 1 - words, argv + 1 + words);
}

int cli_main(int argc, char **argv)
{
    struct cli cli = {.words = argv};
    int code;

    sc__arena_init(&cli.arena, ARENA_MAX);
    code = run(&cli, argc, argv);
    if (!code && (fflush(stdout) || ferror(stdout)))
        code = cli_fail(&cli, EXIT_FAILED, "the output could not be written");
    sc__arena_release(&cli.arena);
    return code;
}
