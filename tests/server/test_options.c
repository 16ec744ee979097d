/* server/options.c */
#include "server/options.h"
#include "support/test.h"

#include <unistd.h>

struct fixture {
    struct options options;
    sc__arena arena;
    struct options_reader reader;
};

static void setup(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    sc__arena_init(&f->arena, 1 << 20);
    f->reader.options = &f->options;
    f->reader.arena = &f->arena;
    setenv("HOME", "/home/ada", 1);
    unsetenv("XDG_STATE_HOME");
    for (const struct option_row *row = options_table; row->flag; row++)
        unsetenv(row->env);
}

static const char *config(const char *text)
{
    static char path[128];
    FILE *file;

    snprintf(path, sizeof(path), "%s/storychain.conf", test_folder());
    file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    return path;
}

static void set_flag(struct fixture *f, const char *flag, const char *text)
{
    const struct option_row *row = option_find(sc_slice_of(flag));

    f->reader.set[row - options_table] = true;
    assert_ok(option_set(&f->reader, row, text, flag, NULL));
}

TEST(without_anything_the_defaults_hold)
{
    struct fixture f;

    setup(&f);
    assert_ok(options_finish(&f.reader, NULL));

    assert_string_equal(f.options.listen, "127.0.0.1:8080");
    assert_string_equal(f.options.state_dir, "/home/ada/.local/state/storychain");
    assert_null(f.options.redis_url);
    assert_int_equal(f.options.drain_ms, 25000);
    sc__arena_release(&f.arena);
}

TEST(a_flag_goes_before_the_environment_and_that_before_the_file)
{
    struct fixture f;

    setup(&f);
    setenv("REDIS_URL", "redis://env", 1);
    setenv("SMTP_URL", "smtp://env", 1);
    set_flag(&f, "config",
             config("# ours\nredis_url = redis://file\nsmtp-url = 'smtp://file'\n\n mail_from = "
                    "\"a@b.example\"  \ndrain = 2m\n"));
    set_flag(&f, "redis-url", "redis://flag");
    assert_ok(options_finish(&f.reader, NULL));

    assert_string_equal(f.options.redis_url, "redis://flag");
    assert_string_equal(f.options.smtp_url, "smtp://env");
    assert_string_equal(f.options.mail_from, "a@b.example");
    assert_int_equal(f.options.drain_ms, 120000);
    sc__arena_release(&f.arena);
}

TEST(what_is_wrong_is_said_with_its_place)
{
    static const struct {
        const char *file, *sentence;
    } cases[] = {
        {"listen = :80\nfoo = 1\n", "storychain.conf, line 2: there is no option \"foo\""},
        {"just text\n", "line 1: expected a line like"},
        {"drain = soon\n", "\"soon\" is not a time"},
        {"log-level = loud\n", "\"loud\" is not one of debug|info|warn|error"},
        {"allow_remote = maybe\n", "\"maybe\" is neither yes nor no"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sc_reason reason = {""};
        struct fixture f;

        setup(&f);
        set_flag(&f, "config", config(cases[i].file));
        assert_err(options_finish(&f.reader, &reason), SC_EINVAL);
        if (!strstr(reason.text, cases[i].sentence))
            fail_msg("\"%s\" has no \"%s\"", reason.text, cases[i].sentence);
        sc__arena_release(&f.arena);
    }
}

TEST(a_config_file_that_is_not_there_is_named)
{
    sc_reason reason = {""};
    struct fixture f;

    setup(&f);
    set_flag(&f, "config", "/nowhere/at.all");
    assert_err(options_finish(&f.reader, &reason), SC_EIO);

    assert_non_null(strstr(reason.text, "/nowhere/at.all: No such file"));
    sc__arena_release(&f.arena);
}

TEST(what_is_no_text_is_refused_as_config_file)
{
    static const struct {
        const char *path, *sentence;
    } cases[] = {{"/", "config file /: Is a directory"},
                 {"/dev/zero", "/dev/zero, line 1: the line is no text"}};

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        sc_reason reason = {""};
        struct fixture f;

        setup(&f);
        set_flag(&f, "config", cases[i].path);
        assert_true(options_finish(&f.reader, &reason) != SC_OK);
        if (!strstr(reason.text, cases[i].sentence))
            fail_msg("\"%s\" has no \"%s\"", reason.text, cases[i].sentence);
        sc__arena_release(&f.arena);
    }
}

TEST(durations_have_units)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {{"0", 0},       {"1500", 1500},  {"20ms", 20},    {"90s", 90000},
                {"5m", 300000}, {"2h", 7200000}, {"1d", 86400000}};
    static const char *const bad[] = {"", "s", "-1s", "1.5s", "1 s", "1w", "99999999999999s"};
    int64_t ms;

    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        assert_true(option_duration(good[i].text, &ms));
        assert_int_equal(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(option_duration(bad[i], &ms));
}
