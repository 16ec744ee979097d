/* app/mail: addresses, messages, templates */
#include "app/mail/address.h"
#include "app/mail/message.h"
#include "app/mail/template.h"
#include "support/test.h"

/* ---- Addresses ---- */

TEST(an_address_is_read_with_and_without_a_name)
{
    struct address a;

    assert_ok(address_parse(SC_S("ada@example.org"), &a, NULL));
    assert_slice(a.spec, "ada@example.org");
    assert_slice(a.domain, "example.org");
    assert_slice(a.name, "");

    assert_ok(address_parse(SC_S(" \"Ada Lovelace\" <ada+x@example.org> "), &a, NULL));
    assert_slice(a.name, "Ada Lovelace");
    assert_slice(a.spec, "ada+x@example.org");
}

TEST(what_is_not_an_address_is_refused)
{
    static const char *const bad[] = {
        "",
        "ada",
        "@example.org",
        "ada@",
        "ada@example..org",
        "ada@-example.org",
        "ada@example-.org",
        "ada@example.org.",
        ".ada@example.org",
        "ada.@example.org",
        "a..da@example.org",
        "ada lovelace@example.org",
        "ada@exa mple.org",
        "ada@example.org\r\nRCPT TO:<eve@example.org>",
        "ada@example.org\n",
        "ada@example.org>, <eve@example.org",
        "Ada <ada@example.org",
        "Ada <ada@example.org> x",
        "<ada@example.org> <eve@example.org>",
        "ada@b\xc3\xbc"
        "cher.example",
        "ada@example.org,eve@example.org",
        "ada@[127.0.0.1]",
    };
    struct address a;
    sc_reason reason;

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        reason.text[0] = '\0';
        if (address_parse(sc_slice_of(bad[i]), &a, &reason) != SC_ESYNTAX)
            fail_msg("\"%s\" was taken for an address", bad[i]);
        assert_true(reason.text[0]);
    }
    assert_err(address_parse(SC_S("ada\0@example.org"), &a, NULL), SC_ESYNTAX);
}

/* ---- Messages ---- */

static struct message a_message(void)
{
    struct message m = {
        .subject = SC_S("Hello"),
        .message_id = SC_S("abc.1@storychain.example"),
        .date_ms = 1793392266000, /* 2026-10-30T20:31:06Z */
        .text = SC_S("Hello, Ada.\n"),
        .html = SC_S("<p>Hello, Ada.</p>\n"),
    };

    assert_ok(address_parse(SC_S("StoryChain <noreply@storychain.example>"), &m.from, NULL));
    assert_ok(address_parse(SC_S("ada@example.org"), &m.to, NULL));
    return m;
}

TEST(a_message_has_its_headers_and_both_forms)
{
    struct message m = a_message();
    AUTO_STR out = STR_MAX(MESSAGE_MAX);

    assert_ok(message_write(&m, &out, NULL));

    assert_string_equal(out.ptr,
                        "Date: Fri, 30 Oct 2026 20:31:06 +0000\r\n"
                        "From: \"StoryChain\"\r\n <noreply@storychain.example>\r\n"
                        "To: <ada@example.org>\r\n"
                        "Subject: Hello\r\n"
                        "Message-ID: <abc.1@storychain.example>\r\n"
                        "MIME-Version: 1.0\r\n"
                        "Auto-Submitted: auto-generated\r\n"
                        "Content-Type: multipart/alternative; boundary=\"=_storychain\"\r\n"
                        "\r\n"
                        "--=_storychain\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n"
                        "\r\n"
                        "Hello, Ada.\r\n"
                        "--=_storychain\r\n"
                        "Content-Type: text/html; charset=utf-8\r\n"
                        "Content-Transfer-Encoding: quoted-printable\r\n"
                        "\r\n"
                        "<p>Hello, Ada.</p>\r\n"
                        "--=_storychain--\r\n");
}

TEST(no_field_can_add_a_header_or_a_recipient)
{
    struct message good = a_message(), m;
    AUTO_STR out = STR_MAX(MESSAGE_MAX);
    sc_reason reason;

    m = good;
    m.subject = SC_S("Hello\r\nBcc: eve@example.org");
    assert_err(message_write(&m, &out, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "Subject"));
    m.subject = SC_S("Hello\nBcc: eve@example.org");
    assert_err(message_write(&m, &out, NULL), SC_EINVAL);
    m.subject = SC_S("Hello\0");
    assert_err(message_write(&m, &out, NULL), SC_EINVAL);

    m = good;
    m.to.spec = SC_S("ada@example.org>\r\nBcc: <eve@example.org");
    assert_err(message_write(&m, &out, &reason), SC_EINVAL);
    assert_non_null(strstr(reason.text, "To"));
    m.to.spec = SC_S("Ada <ada@example.org>");
    assert_err(message_write(&m, &out, NULL), SC_EINVAL);

    m = good;
    m.from.name = SC_S("Story\rChain");
    assert_err(message_write(&m, &out, NULL), SC_EINVAL);

    m = good;
    m.message_id = SC_S("a@b>\r\nBcc: <eve@example.org");
    assert_err(message_write(&m, &out, NULL), SC_EINVAL);
    assert_int_equal(out.len, 0);
}

TEST(a_name_with_quotes_stays_inside_its_quotes)
{
    struct message m = a_message();
    AUTO_STR out = STR_MAX(MESSAGE_MAX);

    m.from.name = SC_S("a\" <eve@example.org>, \"b\\");
    assert_ok(message_write(&m, &out, NULL));

    assert_non_null(strstr(out.ptr, "From: \"a\\\" <eve@example.org>, \\\"b\\\\\"\r\n <noreply@"));
}

TEST(a_subject_in_other_scripts_is_encoded_in_words_that_fit)
{
    AUTO_STR out = STR_MAX(4096);
    AUTO_STR text = STR_MAX(4096);

    message_write_words(&out, SC_S("Gr\xc3\xbc\xc3\x9f"
                                   "e"));
    assert_slice(sc__str_slice(&out), "=?UTF-8?B?R3LDvMOfZQ==?=");

    /* 100 characters of 3 bytes: no word is cut inside one, no line is too long. */
    for (int i = 0; i < 100; i++)
        sc__str_text(&text, "\xe2\x82\xac");
    sc__str_reset(&out);
    message_write_words(&out, sc__str_slice(&text));
    for (char *line = strtok(out.ptr, "\r\n"); line; line = strtok(NULL, "\r\n")) {
        assert_true(strlen(line) <= 76 - strlen("Subject: "));
        assert_non_null(strstr(line, "=?UTF-8?B?4oKs")); /* begins with the whole character */
    }
}

TEST(quoted_printable_holds_nothing_that_smtp_or_mail_servers_change)
{
    AUTO_STR out = STR_MAX(4096);

    message_write_quoted(&out, SC_S(".\n..dots\r.\r\n= \x01"
                                    "\xc3\xbc\nblank \ntab\t"));

    assert_slice(sc__str_slice(&out), "=2E\r\n=2E.dots\r\n=2E\r\n=3D =01=C3=BC\r\n"
                                      "blank=20\r\ntab=09\r\n");
}

TEST(quoted_printable_breaks_long_lines_without_losing_a_byte)
{
    AUTO_STR text = STR_MAX(64 * 1024);
    AUTO_STR out = STR_MAX(256 * 1024);
    AUTO_STR back = STR_MAX(64 * 1024);

    for (int i = 0; i < 3000; i++)
        sc__str_char(&text, i % 7 == 0 ? '.' : i % 11 == 0 ? ' ' : i % 13 == 0 ? '\xe9' : 'x');
    message_write_quoted(&out, sc__str_slice(&text));

    for (size_t at = 0; at < out.len;) {
        const char *end = strstr(out.ptr + at, "\r\n");
        size_t len = (size_t)(end - out.ptr) - at;

        assert_true(len <= 76);
        assert_true(out.ptr[at] != '.');
        at += len + 2;
    }
    for (size_t at = 0; at + 2 < out.len;) {
        unsigned byte = 0;

        if (out.ptr[at] == '=' && out.ptr[at + 1] == '\r') {
            at += 3;
        } else if (out.ptr[at] == '=') {
            assert_int_equal(sscanf(out.ptr + at + 1, "%2X", &byte), 1);
            sc__str_char(&back, (char)byte);
            at += 3;
        } else {
            sc__str_char(&back, out.ptr[at++]);
        }
    }
    assert_true(sc_slice_eq(sc__str_slice(&back), sc__str_slice(&text)));
}

/* ---- Templates ---- */

struct rendered {
    sc__str text, html;
    sc_reason reason;
};

static sc_err render(const char *name, const char *context, struct rendered *r)
{
    AUTO_JSON *object = NULL;
    struct template_input input = {sc_slice_of(name), NULL, "https://storychain.example",
                                   SC_S("A subject & more")};

    r->text = STR_MAX(TEMPLATE_OUT_MAX);
    r->html = STR_MAX(TEMPLATE_OUT_MAX);
    r->reason.text[0] = '\0';
    assert_ok(sc__json_parse(sc_slice_of(context), &object, NULL));
    input.context = object;
    return template_render(&input, &r->text, &r->html, &r->reason);
}

static void release(struct rendered *r)
{
    sc__str_release(&r->text);
    sc__str_release(&r->html);
}

TEST(all_templates_render_in_both_forms_and_leave_no_tag)
{
    static const char *const cases[][2] = {
        {"welcome", "{\"name\":\"Ada\"}"},
        {"welcome", "{\"name\":\"Ada\",\"actionUrl\":\"/stories\"}"},
        {"welcome", "{\"name\":\"Ada\",\"actionUrl\":\"/stories/caf\u00e9\"}"},
        {"password-reset", "{\"resetUrl\":\"https://x.example/r?t=1\"}"},
        {"password-reset",
         "{\"name\":\"Ada\",\"resetUrl\":\"/reset?t=1\",\"expiresIn\":\"an hour\"}"},
        {"collaboration-invite",
         "{\"name\":\"Ada\",\"inviterName\":\"Grace\",\"storyTitle\":\"The "
         "Fork\",\"inviteUrl\":\"/i/1\",\"role\":\"editor\",\"message\":\"Come!\"}"},
        {"notification-digest", "{\"notifications\":[{\"title\":\"New\",\"message\":\"A chapter\"},"
                                "{\"title\":\"T2\",\"message\":\"M2\",\"actionUrl\":\"/s/x\"}]}"},
    };
    struct rendered r;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        if (render(cases[i][0], cases[i][1], &r))
            fail_msg("%s: %s", cases[i][0], r.reason.text);
        assert_null(strstr(r.text.ptr, "{{"));
        assert_null(strstr(r.html.ptr, "{{"));
        assert_null(strstr(r.text.ptr, "}}"));
        assert_non_null(strstr(r.html.ptr, "<title>A subject &amp; more</title>"));
        assert_non_null(strstr(r.html.ptr, "</html>"));
        assert_non_null(strstr(r.text.ptr, "https://storychain.example"));
        release(&r);
    }
}

TEST(a_list_is_rendered_item_by_item_and_paths_get_the_site)
{
    struct rendered r;

    assert_ok(render("notification-digest",
                     "{\"notifications\":[{\"title\":\"One\",\"message\":\"first\"},"
                     "{\"title\":\"Two\",\"message\":\"second\",\"actionUrl\":\"/s/x\"}]}",
                     &r));

    assert_non_null(strstr(r.text.ptr, "* One\n\nfirst\n"));
    assert_non_null(strstr(r.text.ptr, "second\n\nhttps://storychain.example/s/x\n"));
    assert_non_null(strstr(r.html.ptr, "<a href=\"https://storychain.example/s/x\">"));
    release(&r);
}

TEST(values_are_escaped_in_html_and_as_they_are_in_text)
{
    struct rendered r;

    assert_ok(render("welcome", "{\"name\":\"<script>\\\"&' {{siteUrl}}\"}", &r));

    assert_non_null(strstr(r.text.ptr, "Welcome, <script>\"&' {{siteUrl}}."));
    assert_null(strstr(r.html.ptr, "<script>"));
    assert_non_null(strstr(r.html.ptr, "&lt;script&gt;&quot;&amp;&#39; {{siteUrl}}"));
    release(&r);
}

TEST(a_missing_or_wrong_field_is_named)
{
    static const char *const cases[][3] = {
        {"welcome", "{}", "context.name"},
        {"welcome", "{\"name\":null}", "context.name"},
        {"welcome", "{\"name\":{\"first\":\"Ada\"}}", "context.name"},
        {"welcome", "{\"name\":\"Ada\",\"actionUrl\":\"javascript:alert(1)\"}",
         "context.actionUrl"},
        {"password-reset", "{\"name\":\"Ada\"}", "context.resetUrl"},
        {"password-reset", "{\"resetUrl\":\"//evil.example\"}", "context.resetUrl"},
        {"password-reset", "{\"resetUrl\":\"/\\\\evil.example\"}", "context.resetUrl"},
        {"password-reset", "{\"resetUrl\":\"https://x.example/ y\"}", "context.resetUrl"},
        {"collaboration-invite", "{\"inviterName\":\"G\",\"inviteUrl\":\"/i\"}",
         "context.storyTitle"},
        {"notification-digest", "{}", "context.notifications"},
        {"notification-digest", "{\"notifications\":[]}", "context.notifications"},
        {"notification-digest", "{\"notifications\":[7]}", "context.notifications"},
        {"notification-digest", "{\"notifications\":[{\"title\":\"T\"}]}", "context.message"},
    };
    struct rendered r;

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        assert_err(render(cases[i][0], cases[i][1], &r), SC_EPAYLOAD);
        if (!strstr(r.reason.text, cases[i][2]))
            fail_msg("case %zu: \"%s\" does not name %s", i, r.reason.text, cases[i][2]);
        release(&r);
    }
}

TEST(an_unknown_template_is_refused)
{
    struct rendered r;

    assert_err(render("newsletter", "{}", &r), SC_ENOTFOUND);
    assert_non_null(strstr(r.reason.text, "newsletter"));
    release(&r);
}

TEST(a_mail_has_a_ceiling)
{
    AUTO_STR context = STR_MAX(1024 * 1024);
    struct rendered r;

    sc__str_text(&context, "{\"name\":\"");
    for (int i = 0; i < 300 * 1024; i++)
        sc__str_char(&context, 'x');
    sc__str_text(&context, "\"}");
    assert_err(render("welcome", context.ptr, &r), SC_ETOOBIG);
    release(&r);
}
