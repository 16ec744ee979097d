/* app/mail/smtp.c, against a real mail server */
#include "app/mail/smtp.h"

#include "support/smtp.h"
#include "support/test.h"

static sc_err send_to(const char *url, const char *to, const char *bytes, sc_reason *ret_reason)
{
    struct smtp_mail mail = {.from = SC_S("hello@storychain.example"),
                             .to = sc_slice_of(to),
                             .bytes = sc_slice_of(bytes)};
    struct smtp *smtp = NULL;
    sc_err err;

    assert_ok(smtp_new(url, &smtp, NULL));
    err = smtp_send(smtp, &mail, ret_reason);
    smtp_free(smtp);
    return err;
}

TEST(a_mail_arrives_with_its_envelope_and_its_bytes)
{
    struct test_smtp server;
    sc_reason reason = {""};
    char *mail;

    test_smtp_start(&server, NULL);
    if (send_to(server.url, "ada@example.org", "Subject: Hi\r\n\r\n.dot\r\n..\r\nend\r\n", &reason))
        fail_msg("%s", reason.text);

    mail = test_smtp_mail(&server, 1);
    assert_non_null(mail);
    assert_string_equal(mail, "X-From: hello@storychain.example\r\n"
                              "X-To: ada@example.org\r\n"
                              "X-Tls: False\r\n"
                              "Subject: Hi\r\n\r\n.dot\r\n..\r\nend\r\n");
    free(mail);
}

TEST(a_refusal_for_good_and_one_for_now_are_told_apart)
{
    struct test_smtp server;
    sc_reason reason;

    test_smtp_start(&server, NULL);

    assert_err(send_to(server.url, "refused@example.org", "x\r\n", &reason), SC_EPERM);
    assert_non_null(strstr(reason.text, "550 5.1.1 no such user here"));
    assert_err(send_to(server.url, "later@example.org", "x\r\n", &reason), SC_EIO);
    assert_non_null(strstr(reason.text, "451 4.3.0"));
    assert_err(send_to(server.url, "full@example.org", "x\r\n", &reason), SC_EPERM);
    assert_non_null(strstr(reason.text, "552 5.2.2"));
    assert_null(test_smtp_mail(&server, 1));
}

TEST(a_server_that_is_away_is_worth_another_try)
{
    struct test_smtp server;
    sc_reason reason;

    test_smtp_start(&server, NULL);
    test_smtp_stop(&server);

    assert_err(send_to(server.url, "ada@example.org", "x\r\n", &reason), SC_ECONNECT);
    assert_non_null(strstr(reason.text, server.url));
}

TEST(user_and_password_are_sent_and_never_told)
{
    const char *const args[] = {"--auth", "ada:s3cret/x", NULL};
    struct test_smtp server;
    sc_reason reason = {""};
    char url[128];
    char *mail;

    test_smtp_start(&server, args);

    snprintf(url, sizeof(url), "smtp://ada:s3cret%%2Fx@127.0.0.1:%d", server.port);
    if (send_to(url, "grace@example.org", "x\r\n", &reason))
        fail_msg("%s", reason.text);
    mail = test_smtp_mail(&server, 1);
    assert_non_null(mail);
    free(mail);

    snprintf(url, sizeof(url), "smtp://ada:wr0ng@127.0.0.1:%d", server.port);
    assert_err(send_to(url, "grace@example.org", "x\r\n", &reason), SC_EAUTH);
    assert_null(strstr(reason.text, "wr0ng"));
    assert_err(send_to(server.url, "grace@example.org", "x\r\n", &reason), SC_EAUTH);
}

TEST(without_starttls_nothing_is_sent_when_tls_is_required)
{
    struct test_smtp server;
    sc_reason reason;
    char url[128];

    test_smtp_start(&server, NULL);
    snprintf(url, sizeof(url), "%s?tls=required", server.url);

    assert_err(send_to(url, "ada@example.org", "x\r\n", &reason), SC_EAUTH);
    assert_null(test_smtp_mail(&server, 1));
}

TEST(a_certificate_that_nobody_signed_is_refused)
{
    char cert[128], key[128], command[512], url[128];
    const char *const args[] = {"--tls", cert, key, NULL};
    struct test_smtp server;
    sc_reason reason;

    snprintf(cert, sizeof(cert), "%s/cert.pem", test_folder());
    snprintf(key, sizeof(key), "%s/key.pem", test_folder());
    snprintf(command, sizeof(command),
             "openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=127.0.0.1 -keyout %s "
             "-out %s 2>/dev/null",
             key, cert);
    assert_int_equal(system(command), 0);
    test_smtp_start(&server, args);

    assert_err(send_to(server.url, "ada@example.org", "x\r\n", &reason), SC_EAUTH);
    snprintf(url, sizeof(url), "%s?tls=none", server.url);
    assert_ok(send_to(url, "ada@example.org", "x\r\n", &reason));
}

TEST(an_address_that_would_be_a_command_is_refused)
{
    sc_reason reason;

    assert_err(send_to("smtp://127.0.0.1:1", "ada@example.org>\r\nRCPT TO:<eve@example.org",
                       "x\r\n", &reason),
               SC_EINVAL);
}
