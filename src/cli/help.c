#include "help.h"

static bool starts_with(const char *name, const char *word)
{
    size_t len = strlen(word);

    return !strncmp(name, word, len) && (name[len] == ' ' || name[len] == '\0');
}

enum { HELP_COLUMNS = 80, CMD_INDENT = 26, FLAG_INDENT = 27 };

/* `text` in lines of HELP_COLUMNS, each `indent` columns in; the first line has come to `column` already. */
static void print_wrapped(const char *text, size_t column, size_t indent)
{
    bool first = true;

    if (column >= indent) {
        putchar('\n');
        column = 0;
    }
    printf("%*s", (int)(indent - column), "");
    column = indent;
    while (*text) {
        size_t len = strcspn(text, " ");

        if (!first && column + 1 + len > HELP_COLUMNS) {
            printf("\n%*s", (int)indent, "");
            column = indent;
            first = true;
        }
        column += (size_t)printf("%s%.*s", first ? "" : " ", (int)len, text);
        first = false;
        text += len + (text[len] == ' ');
    }
    putchar('\n');
}

static void print_cmds(const char *first_word)
{
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++) {
        if (first_word && !starts_with(cmd->name, first_word))
            continue;
        print_wrapped(cmd->summary,
                      (size_t)printf("  %s%s%s", cmd->name, cmd->words ? " " : "",
                                     cmd->words ? cmd->words : ""),
                      CMD_INDENT);
    }
}

static bool is_group(const char *word)
{
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++)
        if (starts_with(cmd->name, word))
            return true;
    return false;
}

int help_main(int word_count, char **words)
{
    if (word_count == 1 && !strcmp(words[0], "man")) {
        help_man();
        return EXIT_OK;
    }
    if (word_count == 1 && !strcmp(words[0], "completion")) {
        help_completion();
        return EXIT_OK;
    }
    for (const struct cmd *cmd = cmd_table; word_count && cmd->name; cmd++) {
        if (!strcmp(cmd->name, words[0]) || (word_count > 1 && starts_with(cmd->name, words[0]) &&
                                             !strcmp(cmd->name + strlen(words[0]) + 1, words[1]))) {
            help_cmd(cmd);
            return EXIT_OK;
        }
    }
    if (word_count && !is_group(words[0]))
        return help_unknown(word_count, words);
    puts("StoryChain: caching, job queues and scheduled jobs on Redis and Valkey.\n\nUse: "
         "storychain COMMAND\n");
    print_cmds(word_count ? words[0] : NULL);
    puts("\n`storychain COMMAND --help` tells more; --json prints JSON.\n"
         "Exit codes: 0 done, 1 failed, 2 wrong use, 3 not found, 4 Redis not reachable,\n"
         "5 refused for safety.");
    return EXIT_OK;
}

bool help_has_option(const struct cmd *cmd, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = cmd->options; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (!strncmp(at, name, len) && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static void print_flag(const char *name, const char *arg, const char *help)
{
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s", name, arg ? " " : "", arg ? arg : "");
    print_wrapped(help, (size_t)printf("  %s", left), FLAG_INDENT);
}

static void print_option(const struct option_row *row)
{
    char source[160];

    print_flag(row->flag, row->arg, row->help);
    snprintf(source, sizeof(source), "env %s%s%s", row->env, row->otherwise ? ", default " : "",
             row->otherwise ? row->otherwise : "");
    print_wrapped(source, 0, FLAG_INDENT);
}

void help_cmd(const struct cmd *cmd)
{
    printf("storychain %s%s%s: %s\n", cmd->name, cmd->words ? " " : "",
           cmd->words ? cmd->words : "", cmd->summary);
    if (cmd->more)
        printf("\n%s\n", cmd->more);
    puts("\nOptions:");
    for (int i = 0; i < CMD_FLAGS_MAX && cmd->flags[i].name; i++)
        print_flag(cmd->flags[i].name, cmd->flags[i].arg, cmd->flags[i].help);
    for (const struct option_row *row = options_table; row->flag; row++)
        if (help_has_option(cmd, row->flag))
            print_option(row);
    print_flag("json", NULL, "print JSON");
}

/* How many letters must be changed, added or taken away to make one word of the other; texts over 31 bytes are far. */
static size_t distance(const char *a, const char *b)
{
    size_t row[32], len = strlen(b);

    if (len >= 32 || strlen(a) >= 32)
        return 32;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t left_above = row[0];

        row[0] = i;
        for (size_t j = 1; j <= len; j++) {
            size_t above = row[j], best = left_above + (a[i - 1] != b[j - 1]);

            best = above + 1 < best ? above + 1 : best;
            row[j] = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            left_above = above;
        }
    }
    return row[len];
}

/* The same for the first word alone when no more was typed: "queues". */
static size_t distance_to_cmd(const char *typed, const char *name)
{
    size_t away = distance(typed, name), word_away;
    char word[32];

    if (strchr(typed, ' '))
        return away;
    snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, " "), name);
    word_away = distance(typed, word);
    return word_away && word_away < away ? word_away : away;
}

/* The command that was probably meant; NULL when none is near. */
static const char *nearest(const char *typed)
{
    const char *best = NULL;
    size_t least = strlen(typed) / 3 + 1;

    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++) {
        size_t away = distance_to_cmd(typed, cmd->name);

        if (away < least || (away == least && !best)) {
            least = away;
            best = cmd->name;
        }
    }
    return best;
}

int help_unknown(int word_count, char **words)
{
    char typed[96];
    const char *meant;

    if (word_count > 1 && words[1][0] == '-')
        word_count = 1;
    if (words[0][0] == '-') {
        fprintf(stderr,
                "storychain: there is no option %.40s here; options come after the command, as in "
                "`storychain queue list --json`\n",
                words[0]);
        return EXIT_USAGE;
    }
    snprintf(typed, sizeof(typed), "%.40s%s%.40s", words[0], word_count > 1 ? " " : "",
             word_count > 1 ? words[1] : "");
    meant = word_count == 1 && is_group(words[0]) ? NULL : nearest(typed);
    if (!meant && !is_group(words[0]))
        meant = nearest(words[0]);
    if (word_count == 1 && is_group(words[0]))
        fprintf(stderr, "storychain: \"%s\" is not the whole command", words[0]);
    else
        fprintf(stderr, "storychain: there is no command \"%s\"", typed);
    if (meant) {
        fprintf(stderr, "; did you mean `storychain %s`?\n", meant);
    } else if (is_group(words[0])) {
        fputs("; there are:", stderr);
        for (const struct cmd *cmd = cmd_table; cmd->name; cmd++)
            if (starts_with(cmd->name, words[0]))
                fprintf(stderr, " `%s`", cmd->name);
        fputc('\n', stderr);
    } else {
        fputs("; `storychain --help` lists them\n", stderr);
    }
    return EXIT_USAGE;
}
