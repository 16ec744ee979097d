/* app/payload.c */
#include "app/payload.h"

#include "support/test.h"

struct sample {
    const struct payload_field *fields;
    const char *json;
    const char *names; /* what the refusal must name; NULL: it is fine */
};

static void check_all(const struct sample *samples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO_JSON *payload = NULL;
        sc_reason reason = {""};
        sc_err err;

        assert_ok(sc__json_parse(sc_slice_of(samples[i].json), &payload, NULL));
        err = payload_check(samples[i].fields, payload, &reason);
        if (err != (samples[i].names ? SC_EPAYLOAD : SC_OK))
            fail_msg("%s: %s %s", samples[i].json, sc_err_name(err), reason.text);
        if (samples[i].names && !strstr(reason.text, samples[i].names))
            fail_msg("%s: \"%s\" does not name %s", samples[i].json, reason.text, samples[i].names);
    }
}
#define CHECK(samples) check_all(samples, sizeof(samples) / sizeof(*(samples)))

#define MAIL(to, subject, template, context)                                                       \
    "{\"to\":" to ",\"subject\":" subject ",\"template\":" template ",\"context\":" context "}"

TEST(mails_need_an_address_a_subject_a_known_template_and_a_context)
{
    static const struct sample samples[] = {
        {payload_email, MAIL("\"ada@example.org\"", "\"Hi\"", "\"welcome\"", "{}"), NULL},
        {payload_email, MAIL("\"Ada <ada@example.org>\"", "\"Hi\"", "\"welcome\"", "{}"), NULL},
        {payload_email, "[]", "object"},
        {payload_email, "null", "object"},
        {payload_email, "{}", "\"to\" is missing"},
        {payload_email, MAIL("7", "\"Hi\"", "\"welcome\"", "{}"), "\"to\""},
        {payload_email, MAIL("null", "\"Hi\"", "\"welcome\"", "{}"), "\"to\""},
        {payload_email, MAIL("\"ada\"", "\"Hi\"", "\"welcome\"", "{}"), "no '@'"},
        {payload_email,
         MAIL("\"a@x.example\\r\\nBcc: eve@x.example\"", "\"Hi\"", "\"welcome\"", "{}"), "\"to\""},
        {payload_email, MAIL("\"a@x.example\\u0000\"", "\"Hi\"", "\"welcome\"", "{}"), "\"to\""},
        {payload_email, MAIL("\"ada@example.org\"", "\"\"", "\"welcome\"", "{}"), "\"subject\""},
        {payload_email, MAIL("\"ada@example.org\"", "\"a\\nBcc: x\"", "\"welcome\"", "{}"),
         "\"subject\""},
        {payload_email, MAIL("\"ada@example.org\"", "\"Hi\"", "\"spam\"", "{}"), "\"template\""},
        {payload_email, MAIL("\"ada@example.org\"", "\"Hi\"", "\"welcome\"", "[]"), "\"context\""},
        {payload_email, MAIL("\"ada@example.org\"", "\"Hi\"", "\"welcome\"", "\"{}\""),
         "\"context\""},
    };

    CHECK(samples);
}

#define NOTICE(more) "{\"userId\":\"u1\",\"type\":\"t\",\"title\":\"T\",\"message\":\"M\"" more "}"

TEST(notifications_need_their_four_texts_and_a_link_that_is_one)
{
    static const struct sample samples[] = {
        {payload_notification, NOTICE(""), NULL},
        {payload_notification, NOTICE(",\"actionUrl\":null,\"metadata\":null,\"later\":1"), NULL},
        {payload_notification, NOTICE(",\"actionUrl\":\"/stories/x\",\"metadata\":{\"a\":1}"),
         NULL},
        {payload_notification, NOTICE(",\"actionUrl\":\"https://x.example/y\""), NULL},
        {payload_notification, NOTICE(",\"actionUrl\":\"javascript:alert(1)\""), "\"actionUrl\""},
        {payload_notification, NOTICE(",\"actionUrl\":\"//evil.example\""), "\"actionUrl\""},
        {payload_notification, NOTICE(",\"actionUrl\":\"/\\\\evil.example\""), "\"actionUrl\""},
        {payload_notification, NOTICE(",\"metadata\":[]"), "\"metadata\""},
        {payload_notification, "{\"type\":\"t\",\"title\":\"T\",\"message\":\"M\"}", "\"userId\""},
        {payload_notification, "{\"userId\":\"u\",\"type\":\"t\",\"title\":\"T\"}", "\"message\""},
    };

    CHECK(samples);
}

TEST(a_text_over_its_limit_is_refused)
{
    AUTO_STR title = STR_MAX(4096);
    AUTO_JSON *payload = NULL;
    sc_reason reason;

    for (int i = 0; i < 513; i++)
        sc__str_char(&title, 'x');
    payload = json_pack("{s:s, s:s, s:s, s:s}", "userId", "u", "type", "t", "title", title.ptr,
                        "message", "M");
    assert_err(payload_check(payload_notification, payload, &reason), SC_EPAYLOAD);
    assert_string_equal(reason.text, "field \"title\" has 513 bytes; 512 are allowed");
}

TEST(dates_are_iso_texts_or_milliseconds)
{
    static const struct sample samples[] = {
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":\"2026-11-23T20:31:06.123Z\"}", NULL},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":\"2026-11-23\"}", NULL},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":1793392266000}", NULL},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":-1}", "\"olderThan\""},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":\"yesterday\"}", "\"olderThan\""},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":\"2026-02-30\"}", "\"olderThan\""},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":{}}", "\"olderThan\""},
        {payload_cleanup, "{\"type\":\"users\",\"olderThan\":1}", "\"type\""},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":1,\"dryRun\":\"yes\"}", "\"dryRun\""},
        {payload_cleanup, "{\"type\":\"logs\",\"olderThan\":1,\"dryRun\":true}", NULL},
        {payload_analytics,
         "{\"event\":\"e\",\"properties\":{},\"timestamp\":\"2026-11-23T20:31:06Z\"}", NULL},
        {payload_analytics, "{\"event\":\"e\",\"properties\":{}}", "\"timestamp\""},
        {payload_analytics, "{\"event\":\"e\",\"timestamp\":1}", "\"properties\""},
        {payload_export, "{\"userId\":\"u\",\"storyId\":\"s\",\"format\":\"docx\"}",
         "pdf, epub, markdown"},
        {payload_scheduled, "{}", NULL},
        {payload_scheduled, "{\"type\":7}", "\"type\""},
    };

    CHECK(samples);
}

TEST(a_date_is_read_as_milliseconds)
{
    AUTO_JSON *payload = NULL;

    assert_ok(sc__json_parse(
        SC_S("{\"a\":\"1970-01-02\",\"b\":\"1970-01-01T01:00:00.250+01:00\",\"c\":77}"), &payload,
        NULL));
    assert_true(payload_date(payload, "a") == 86400000);
    assert_true(payload_date(payload, "b") == 250);
    assert_true(payload_date(payload, "c") == 77);
}
