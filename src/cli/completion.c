/* storychain help completion: a script for bash, from the tables of commands and options. */
#include "help.h"

/* "list pause …": the words that commands have behind `first`; without it their first words. */
static void print_next_words(const char *first)
{
    size_t len = strlen(first);

    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++) {
        const char *word = cmd->name + len + (len > 0);
        bool seen = false;

        if (strncmp(cmd->name, first, len) != 0 || (len && cmd->name[len] != ' '))
            continue;
        for (const struct cmd *other = cmd_table; other != cmd && !len; other++)
            seen |= strcspn(other->name, " ") == strcspn(word, " ") &&
                    !strncmp(other->name, word, strcspn(word, " "));
        if (!seen)
            printf("%.*s ", (int)strcspn(word, " "), word);
    }
}

static void print_flags(const struct cmd *cmd)
{
    for (int i = 0; i < CMD_FLAGS_MAX && cmd->flags[i].name; i++)
        printf("--%s ", cmd->flags[i].name);
    for (const struct option_row *row = options_table; row->flag; row++)
        if (help_has_option(cmd, row->flag))
            printf("--%s ", row->flag);
    fputs("--json --help", stdout);
}

/* True for the first of the commands that share their first word, when there is a second one. */
static bool begins_group(const struct cmd *cmd)
{
    size_t len = strcspn(cmd->name, " ");

    if (!cmd->name[len])
        return false;
    for (const struct cmd *other = cmd_table; other != cmd; other++)
        if (!strncmp(other->name, cmd->name, len + 1))
            return false;
    return true;
}

void help_completion(void)
{
    puts("# bash completion for storychain; made by `storychain help completion`\n"
         "_storychain()\n{\n"
         "    local words cur=${COMP_WORDS[COMP_CWORD]} line=\"${COMP_WORDS[*]:1:COMP_CWORD-1} \"\n"
         "    case $line in");
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++) {
        printf("    \"%s \"*) words=\"", cmd->name);
        print_flags(cmd);
        puts("\" ;;");
    }
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++) {
        char first[32];

        if (!begins_group(cmd))
            continue;
        snprintf(first, sizeof(first), "%.*s", (int)strcspn(cmd->name, " "), cmd->name);
        printf("    \"%s \") words=\"", first);
        print_next_words(first);
        puts("\" ;;");
    }
    fputs("    \" \") words=\"", stdout);
    print_next_words("");
    puts("help --version --help\" ;;\n"
         "    *) words= ;;\n    esac\n"
         "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n}\n"
         "complete -o default -F _storychain storychain");
}
