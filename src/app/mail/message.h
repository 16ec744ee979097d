/* A mail as the bytes that go over the wire: headers and a text and an HTML form of one content.
 *
 * Nothing in a field can break out of it: a line break, a NUL or another control character in a header is
 * refused, and the bodies go out in quoted-printable, so that they hold no byte that SMTP could
 * mistake for its own (RFC 5321 dots and bare CR or LF included). */
#ifndef APP_MAIL_MESSAGE_H
#define APP_MAIL_MESSAGE_H

#include "base/str.h"

#include "address.h"

struct message {
    struct address from, to;
    sc_slice subject;    /* UTF-8 */
    sc_slice message_id; /* without the angle brackets */
    int64_t date_ms;
    sc_slice text, html; /* UTF-8; line ends as they come: LF, CR and CRLF mean the same */
};

enum { MESSAGE_MAX = 1024 * 1024 };

/* Appends the whole message to `out`. SC_EINVAL with a reason that names the field; or the
 * string's error. */
SC_MUST_USE sc_err message_write(const struct message *message, sc__str *out,
                                 sc_reason *ret_reason);

/* Appends `text` in quoted-printable with CRLF line ends. */
void message_write_quoted(sc__str *out, sc_slice text);

/* Appends header text: as it is if it is plain ASCII, else as RFC 2047 encoded words, none longer
 * than 75 characters, each on its own line after the first. */
void message_write_words(sc__str *out, sc_slice text);

#endif
