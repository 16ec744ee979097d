/* app/mail/maildir.c, app/mail/mailer.c */
#include "app/mail/maildir.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/mail/mailer.h"
#include "base/json.h"
#include "support/test.h"

static const char *path_of(const char *name)
{
    static char path[256];

    snprintf(path, sizeof(path), "%s/mail%s%s", test_folder(), *name ? "/" : "", name);
    return path;
}

static int count_in(const char *name)
{
    DIR *folder = opendir(path_of(name));
    int count = 0;

    assert_non_null(folder);
    for (struct dirent *entry; (entry = readdir(folder));)
        count += entry->d_name[0] != '.';
    closedir(folder);
    return count;
}

static void assert_file(const char *name, const char *expected)
{
    char text[4096] = "";
    FILE *in = fopen(path_of(name), "r");

    assert_non_null(in);
    assert_true(fread(text, 1, sizeof(text) - 1, in) > 0);
    fclose(in);
    assert_string_equal(text, expected);
}

TEST(a_mail_is_delivered_whole_and_into_new)
{
    assert_ok(maildir_prepare(path_of(""), NULL));

    assert_ok(maildir_deliver(path_of(""), "1.a.x", SC_S("Subject: Hi\r\n\r\nHello\r\n"), NULL));

    assert_file("new/1.a.x", "Subject: Hi\r\n\r\nHello\r\n");
    assert_int_equal(count_in("tmp"), 0);
}

TEST(the_same_mail_twice_is_one_also_when_it_was_read_meanwhile)
{
    char from[256];

    assert_ok(maildir_prepare(path_of(""), NULL));
    assert_ok(maildir_deliver(path_of(""), "1.a.x", SC_S("Hello"), NULL));
    assert_ok(maildir_deliver(path_of(""), "1.a.x", SC_S("Hello"), NULL));
    assert_int_equal(count_in("new"), 1);

    snprintf(from, sizeof(from), "%s", path_of("new/1.a.x"));
    assert_int_equal(rename(from, path_of("cur/1.a.x:2,S")), 0);
    assert_ok(maildir_deliver(path_of(""), "1.a.x", SC_S("Hello"), NULL));
    assert_int_equal(count_in("new"), 0);

    assert_ok(maildir_deliver(path_of(""), "1.a.xy", SC_S("Another"), NULL));
    assert_int_equal(count_in("new"), 1);
}

TEST(a_name_that_leads_elsewhere_is_refused)
{
    static const char *const bad[] = {"", ".", "..", "../x", "a/b", "a:2,S", ".hidden", "a b"};

    assert_ok(maildir_prepare(path_of(""), NULL));
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_err(maildir_deliver(path_of(""), bad[i], SC_S("x"), NULL), SC_EINVAL);
}

TEST(a_folder_that_is_gone_is_an_error_that_names_it)
{
    sc_reason reason;

    assert_ok(maildir_prepare(path_of(""), NULL));
    assert_int_equal(rmdir(path_of("tmp")), 0);

    assert_err(maildir_deliver(path_of(""), "1.a.x", SC_S("x"), &reason), SC_EIO);
    assert_non_null(strstr(reason.text, "mail/tmp"));
}

TEST(a_file_where_the_folder_should_be_is_an_error)
{
    FILE *out = fopen(path_of(""), "w");
    sc_reason reason;

    fclose(out);
    assert_err(maildir_prepare(path_of(""), &reason), SC_EIO);
    assert_non_null(strstr(reason.text, path_of("")));
}

TEST(the_mailer_delivers_a_template_and_gives_the_same_id_for_the_same_key)
{
    struct mailer_opts opts = {.maildir = path_of(""),
                               .from = "StoryChain <hello@storychain.example>",
                               .site_url = "https://storychain.example/"};
    AUTO_JSON *context = json_pack("{s:s}", "name", "Ada");
    struct mail mail = {.to = SC_S("Ada <ada@example.org>"),
                        .subject = SC_S("Welcome"),
                        .template_name = SC_S("welcome"),
                        .context = context,
                        .key = SC_S("bull:email:1"),
                        .date_ms = 1793392266000};
    char first[MESSAGE_ID_MAX], again[MESSAGE_ID_MAX], other[MESSAGE_ID_MAX];
    struct mailer *mailer;

    assert_ok(mailer_new(&opts, &mailer, NULL));
    assert_ok(mailer_send(mailer, &mail, first, NULL));
    assert_ok(mailer_send(mailer, &mail, again, NULL));
    mail.key = SC_S("bull:email:2");
    assert_ok(mailer_send(mailer, &mail, other, NULL));

    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
    assert_non_null(strstr(first, "@storychain.example"));
    assert_int_equal(count_in("new"), 2);
    mailer_free(mailer);
}

TEST(a_mailer_that_cannot_work_is_not_made)
{
    struct mailer_opts good = {
        .maildir = path_of(""), .from = "a@b.example", .site_url = "https://x.example"};
    struct mailer_opts opts;
    struct mailer *mailer;
    sc_reason reason;

    opts = good;
    opts.from = "StoryChain";
    assert_err(mailer_new(&opts, &mailer, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "StoryChain"));
    opts = good;
    opts.site_url = "javascript:alert(1)";
    assert_err(mailer_new(&opts, &mailer, &reason), SC_EINVAL);
    opts = good;
    opts.smtp_url = "http://mail.example";
    assert_err(mailer_new(&opts, &mailer, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "smtp://"));
    opts.smtp_url = "smtp://mail.example?tls=maybe";
    assert_err(mailer_new(&opts, &mailer, &reason), SC_EINVAL);
    opts.smtp_url = "smtp://user:secret@mail.example:99999";
    assert_err(mailer_new(&opts, &mailer, &reason), SC_EINVAL);
    assert_null(strstr(reason.text, "secret"));
}
