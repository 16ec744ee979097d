#include "message.h"

#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "base/utf8.h"

/* Bytes of UTF-8 in one encoded word: "=?UTF-8?B?" + 4 * 13 + "?=" are 64 characters, and fit beside "Subject: ". */
enum { WORD_BYTES = 39, LINE_MAX_CHARS = 76 };

static const char hex[] = "0123456789ABCDEF";

/* ---- Headers ---- */

static bool is_plain(sc_slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] < ' ' || s.ptr[i] > '~')
            return false;
    return s.len < LINE_MAX_CHARS - 12 && !(s.len >= 2 && memcmp(s.ptr, "=?", 2) == 0);
}

static void write_base64(sc__str *out, const unsigned char *bytes, size_t len)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        unsigned n = (unsigned)bytes[i] << 16;

        if (i + 1 < len)
            n |= (unsigned)bytes[i + 1] << 8;
        if (i + 2 < len)
            n |= bytes[i + 2];
        sc__str_char(out, digits[n >> 18]);
        sc__str_char(out, digits[n >> 12 & 63]);
        sc__str_char(out, i + 1 < len ? digits[n >> 6 & 63] : '=');
        sc__str_char(out, i + 2 < len ? digits[n & 63] : '=');
    }
}

void message_write_words(sc__str *out, sc_slice text)
{
    if (is_plain(text)) {
        sc__str_append(out, text);
        return;
    }
    for (size_t at = 0; at < text.len;) {
        size_t len = 0;

        /* A word must not end inside a character. */
        while (at + len < text.len) {
            size_t width = sc__utf8_width(text.ptr + at + len, text.len - at - len);

            if (width == 0)
                width = 1;
            if (len + width > WORD_BYTES)
                break;
            len += width;
        }
        sc__str_text(out, at ? "\r\n =?UTF-8?B?" : "=?UTF-8?B?");
        write_base64(out, (const unsigned char *)text.ptr + at, len);
        sc__str_text(out, "?=");
        at += len;
    }
}

static void write_address(sc__str *out, const char *header, const struct address *address)
{
    sc__str_printf(out, "%s: ", header);
    if (address->name.len && is_plain(address->name)) {
        sc__str_char(out, '"');
        for (size_t i = 0; i < address->name.len; i++) {
            if (address->name.ptr[i] == '"' || address->name.ptr[i] == '\\')
                sc__str_char(out, '\\');
            sc__str_char(out, address->name.ptr[i]);
        }
        sc__str_text(out, "\"\r\n ");
    } else if (address->name.len) {
        message_write_words(out, address->name);
        sc__str_text(out, "\r\n ");
    }
    sc__str_char(out, '<');
    sc__str_append(out, address->spec);
    sc__str_text(out, ">\r\n");
}

/* RFC 5322, 3.3. Not strftime: its names of days follow the locale. */
static void write_date(sc__str *out, int64_t date_ms)
{
    static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t seconds = (time_t)(date_ms / 1000);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    sc__str_printf(out, "Date: %s, %02d %s %04d %02d:%02d:%02d +0000\r\n", days[tm.tm_wday],
                   tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
                   tm.tm_sec);
}

static sc_err check_header(const char *name, sc_slice value, sc_reason *ret_reason)
{
    size_t bad;

    for (size_t i = 0; i < value.len; i++)
        if ((unsigned char)value.ptr[i] < ' ' || value.ptr[i] == 0x7f)
            return sc__because(ret_reason, SC_EINVAL,
                               "the mail's %s holds a line break or another control character, "
                               "at byte %zu",
                               name, i);
    if (!sc__utf8_valid(value, &bad))
        return sc__because(ret_reason, SC_EINVAL, "the mail's %s is not UTF-8, at byte %zu", name,
                           bad);
    if (value.len > 998)
        return sc__because(ret_reason, SC_EINVAL, "the mail's %s is longer than 998 bytes", name);
    return SC_OK;
}

/* The addresses are parsed again: they come from address_parse(), or they came from nowhere. */
static sc_err check_address(const char *name, const struct address *address, sc_reason *ret_reason)
{
    struct address again;
    sc_reason why = {"has a name where the address is expected"};
    sc_err err = check_header(name, address->name, ret_reason);

    if (err)
        return err;
    if (address_parse(address->spec, &again, &why) || again.name.len)
        return sc__because(ret_reason, SC_EINVAL, "the mail's %s %s", name, why.text);
    return SC_OK;
}

static sc_err check_id(sc_slice id, sc_reason *ret_reason)
{
    struct address address;

    if (address_parse(id, &address, NULL) || address.name.len || address.spec.len != id.len)
        return sc__because(ret_reason, SC_EINVAL,
                           "the mail's Message-ID must have the form left@domain");
    return SC_OK;
}

/* ---- Bodies ---- */

/* The byte at `*at` as a line end, if it is one; moves behind CRLF, LF or CR. */
static bool take_line_end(sc_slice text, size_t *at)
{
    if (text.ptr[*at] != '\r' && text.ptr[*at] != '\n')
        return false;
    *at += text.ptr[*at] == '\r' && *at + 1 < text.len && text.ptr[*at + 1] == '\n' ? 2 : 1;
    return true;
}

static bool at_line_end(sc_slice text, size_t at)
{
    return at >= text.len || text.ptr[at] == '\r' || text.ptr[at] == '\n';
}

/* RFC 2045, 6.7. A blank at the end of a line and a dot at its beginning are encoded too: mail
 * servers strip the one and double the other. */
static bool must_quote(sc_slice text, size_t at, size_t column)
{
    char c = text.ptr[at];

    if (c == ' ' || c == '\t')
        return at_line_end(text, at + 1);
    return c < '!' || c > '~' || c == '=' || (c == '.' && column == 0);
}

void message_write_quoted(sc__str *out, sc_slice text)
{
    size_t column = 0;

    for (size_t at = 0; at < text.len;) {
        bool quote;

        if (take_line_end(text, &at)) {
            sc__str_text(out, "\r\n");
            column = 0;
            continue;
        }
        quote = must_quote(text, at, column);
        /* One place is kept for the '=' of a soft line break. */
        if (column + (quote ? 3 : 1) > LINE_MAX_CHARS - 1) {
            sc__str_text(out, "=\r\n");
            column = 0;
            quote = must_quote(text, at, column);
        }
        if (quote) {
            sc__str_char(out, '=');
            sc__str_char(out, hex[(unsigned char)text.ptr[at] >> 4]);
            sc__str_char(out, hex[(unsigned char)text.ptr[at] & 15]);
        } else {
            sc__str_char(out, text.ptr[at]);
        }
        column += quote ? 3 : 1;
        at++;
    }
    if (column)
        sc__str_text(out, "\r\n");
}

/* A boundary holds "=_", which quoted-printable never gives, so no body can hold it. */
static void write_part(sc__str *out, const char *type, sc_slice body)
{
    sc__str_printf(out,
                   "--=_storychain\r\n"
                   "Content-Type: %s; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
                   type);
    message_write_quoted(out, body);
}

sc_err message_write(const struct message *message, sc__str *out, sc_reason *ret_reason)
{
    sc_err err = check_address("From", &message->from, ret_reason);

    if (!err)
        err = check_address("To", &message->to, ret_reason);
    if (!err)
        err = check_header("Subject", message->subject, ret_reason);
    if (!err)
        err = check_id(message->message_id, ret_reason);
    if (err)
        return err;
    write_date(out, message->date_ms);
    write_address(out, "From", &message->from);
    write_address(out, "To", &message->to);
    sc__str_text(out, "Subject: ");
    message_write_words(out, message->subject);
    sc__str_text(out, "\r\nMessage-ID: <");
    sc__str_append(out, message->message_id);
    sc__str_text(out, ">\r\n"
                      "MIME-Version: 1.0\r\n"
                      "Auto-Submitted: auto-generated\r\n"
                      "Content-Type: multipart/alternative; boundary=\"=_storychain\"\r\n\r\n");
    write_part(out, "text/plain", message->text);
    write_part(out, "text/html", message->html);
    sc__str_text(out, "--=_storychain--\r\n");
    if (out->err)
        return sc__because(ret_reason, out->err, "the mail: %s", sc_err_text(out->err));
    return SC_OK;
}
