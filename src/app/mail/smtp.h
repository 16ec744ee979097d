/* Sending a mail to a mail server, by libcurl. */
#ifndef APP_MAIL_SMTP_H
#define APP_MAIL_SMTP_H

#include <storychain/base.h>

struct smtp;

/* `url` is smtp://[user[:password]@]host[:port] or smtps://…, and may end in ?tls=
 *
 *   tls=required   STARTTLS or nothing; the default when a password would leave the machine
 *   tls=offered    STARTTLS when the server offers it; the default otherwise
 *   tls=none       never
 *
 * Certificates are verified against the system's store. SC_EINVAL with a reason. */
SC_MUST_USE sc_err smtp_new(const char *url, struct smtp **ret_smtp, sc_reason *ret_reason);
void smtp_free(struct smtp *smtp); /* NULL is fine */

/* "smtp://mail.example.org:587", without user and password. Lives as long as `smtp`. */
const char *smtp_where(const struct smtp *smtp);

struct smtp_mail {
    sc_slice from, to; /* addresses without names */
    sc_slice bytes;    /* the message, lines ended by CRLF */
    /* Asked about once a second: true gives the sending up. NULL: never. */
    bool (*is_cancelled)(const void *user);
    const void *user;
};

/* Waits until the server has taken the mail over, at most 30 s. Any thread.
 *
 *   SC_EPERM     refused for good (a 5xx answer): trying again won't help
 *   SC_EAUTH     the server refused our user, password or TLS
 *   SC_ECANCELED `is_cancelled` said so; the server may have taken the mail
 *   SC_ECONNECT, SC_ETIMEDOUT, SC_EIO (and 4xx answers)   later it may work */
SC_MUST_USE sc_err smtp_send(struct smtp *smtp, const struct smtp_mail *mail,
                             sc_reason *ret_reason);

#endif
