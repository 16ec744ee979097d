/* Any bytes as a mail's recipient, subject and text: no line of the headers may be anything but ours, and no line of
 * the body may begin with a dot or hold a bare CR or LF. */
#include <stdlib.h>

#include "app/mail/message.h"
#include "app/mail/template.h"

/* Parts of the input are split by this byte. */
enum { SPLIT = 0x1f };

static sc_slice take(sc_slice *input)
{
    const char *end = input->len ? memchr(input->ptr, SPLIT, input->len) : NULL;
    sc_slice part = {input->ptr, end ? (size_t)(end - input->ptr) : input->len};

    input->ptr += part.len + (end != NULL);
    input->len -= part.len + (end != NULL);
    return part;
}

static void check(bool ok)
{
    if (!ok)
        abort();
}

static bool begins(const char *line, const char *word)
{
    return strncmp(line, word, strlen(word)) == 0;
}

static void check_headers(const char *text, const char *end)
{
    static const char *const ours[] = {
        "Date: ",         "From: ",           "To: ",           "Subject: ", "Message-ID: ",
        "MIME-Version: ", "Auto-Submitted: ", "Content-Type: ", " "};

    for (const char *line = text; line < end; line = strstr(line, "\r\n") + 2) {
        bool known = false;

        for (size_t i = 0; i < sizeof(ours) / sizeof(*ours); i++)
            known |= begins(line, ours[i]);
        check(known);
    }
}

static void check_lines(sc_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\n')
            check(i > 0 && text.ptr[i - 1] == '\r');
        if (text.ptr[i] == '\r')
            check(i + 1 < text.len && text.ptr[i + 1] == '\n');
        if (text.ptr[i] == '.')
            check(i == 0 || text.ptr[i - 1] != '\n');
        check(text.ptr[i] != '\0');
    }
}

static void check_template(sc_slice name, sc_slice subject, sc_slice context)
{
    AUTO_STR text = STR_MAX(TEMPLATE_OUT_MAX);
    AUTO_STR html = STR_MAX(TEMPLATE_OUT_MAX);
    AUTO_JSON *object = NULL;
    struct template_input input = {name, NULL, "https://x.example", subject};

    if (sc__json_parse(context, &object, NULL) || !json_is_object(object))
        return;
    input.context = object;
    if (template_render(&input, &text, &html, NULL))
        return;
    check(!strstr(html.ptr, "<script") && !strstr(html.ptr, "href=\"j"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_slice rest = {(const char *)data, size};
    sc_slice to = take(&rest), subject = take(&rest), name = take(&rest);
    AUTO_STR out = STR_MAX(MESSAGE_MAX);
    struct message message = {
        .subject = subject, .message_id = SC_S("a@b"), .text = rest, .html = rest};

    check_template(name, subject, rest);
    if (address_parse(to, &message.to, NULL))
        return 0;
    message.from = message.to;
    if (message_write(&message, &out, NULL))
        return 0;
    check_headers(out.ptr, strstr(out.ptr, "\r\n\r\n"));
    check_lines(sc__str_slice(&out));
    return 0;
}
