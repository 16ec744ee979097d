/* storychain help man: the manual page, from the tables of commands and options. */
#include "help.h"

static void roff(const char *text)
{
    bool line_start = true;

    for (; *text; text++) {
        if (line_start && (*text == '.' || *text == '\''))
            fputs("\\&", stdout);
        if (*text == '\\')
            fputs("\\e", stdout);
        else if (*text == '-')
            fputs("\\-", stdout);
        else
            putchar(*text);
        line_start = *text == '\n';
    }
}

static void print_cmd(const struct cmd *cmd)
{
    printf(".SS storychain ");
    roff(cmd->name);
    if (cmd->words)
        printf(" \\fI%s\\fR", cmd->words);
    putchar('\n');
    roff(cmd->summary);
    fputs(".\n", stdout);
    if (cmd->more) {
        puts(".PP\n.nf");
        roff(cmd->more);
        puts("\n.fi");
    }
    for (int i = 0; i < CMD_FLAGS_MAX && cmd->flags[i].name; i++) {
        printf(".TP\n\\fB\\-\\-%s\\fR", cmd->flags[i].name);
        printf(cmd->flags[i].arg ? " \\fI%s\\fR\n" : "\n", cmd->flags[i].arg);
        roff(cmd->flags[i].help);
        putchar('\n');
    }
}

static void print_option(const struct option_row *row)
{
    printf(".TP\n\\fB\\-\\-");
    roff(row->flag);
    printf("\\fR");
    if (row->arg)
        printf(" \\fI%s\\fR", row->arg);
    printf(", \\fB%s\\fR\n", row->env);
    roff(row->help);
    if (row->otherwise) {
        puts(".");
        printf("Default: ");
        roff(row->otherwise);
    }
    puts(".");
}

void help_man(void)
{
    printf(".TH STORYCHAIN 1 \"\" \"storychain %s\" \"User Commands\"\n", sc_version());
    puts(".SH NAME\nstorychain \\- caching, job queues and scheduled jobs on Redis and Valkey\n"
         ".SH SYNOPSIS\n.B storychain\n\\fICOMMAND\\fR [\\fIWORDS\\fR] [\\fIOPTIONS\\fR]\n.SH "
         "COMMANDS");
    for (const struct cmd *cmd = cmd_table; cmd->name; cmd++)
        print_cmd(cmd);
    puts(".SH OPTIONS\nA flag goes before the environment, that before the config file, that "
         "before the default, "
         "each option by itself. A config file has lines of \\fIkey = value\\fR with the flags' "
         "names as keys.");
    for (const struct option_row *row = options_table; row->flag; row++)
        print_option(row);
    puts(".TP\n\\fB\\-\\-json\\fR\nPrint JSON.\n"
         ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong use, 3 not found, 4 Redis not reachable, 5 "
         "refused for safety.\n"
         ".SH SIGNALS\nSIGTERM and SIGINT end \\fBserve\\fR and \\fBworker\\fR: they take no more "
         "jobs, give running ones "
         "up to \\fB\\-\\-drain\\fR and hand the rest back to their queues. A second one ends them "
         "at once.");
}
