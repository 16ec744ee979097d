#include "help.h"

static bool starts_with(const char *name, const char *word)
{
    size_t len = strlen(word);

    return !strncmp(name, word, len) && (name[len] == ' ' || name[len] == '\0');
}

static void print_cmds(const char *first_word)
{
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++)
        if (!first_word || starts_with(cmd->name, first_word))
            printf("  %-16s %-14s %s\n", cmd->name, cmd->words ? cmd->words : "", cmd->summary);
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
    puts("\n`storychain COMMAND --help` tells more; --json prints JSON. Exit codes: 0 done, 1 "
         "failed, 2 wrong use,\n"
         "3 not found, 4 Redis not reachable, 5 refused for safety.");
    return EXIT_OK;
}

/* True when `name` is one of the words in `list`. */
static bool listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; at && *at; at += strcspn(at, " "), at += *at == ' ')
        if (!strncmp(at, name, len) && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

static void print_flag(const char *name, const char *arg, const char *help)
{
    char left[64];

    snprintf(left, sizeof(left), "--%s%s%s", name, arg ? " " : "", arg ? arg : "");
    printf("  %-24s %s\n", left, help);
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
    for (const struct option_row *row = options_table; row->flag; row++) {
        if (!listed(cmd->options, row->flag))
            continue;
        print_flag(row->flag, row->arg, row->help);
        printf("  %-24s %s%s%s%s\n", "", "env ", row->env, row->otherwise ? ", default " : "",
               row->otherwise ? row->otherwise : "");
    }
    print_flag("json", NULL, "print JSON");
}

int help_unknown(int word_count, char **words)
{
    fprintf(stderr, "storychain: there is no command \"%.40s%s%.40s\"", words[0],
            word_count > 1 ? " " : "", word_count > 1 ? words[1] : "");
    if (is_group(words[0])) {
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
