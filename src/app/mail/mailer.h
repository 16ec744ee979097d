/* The mailer: a template and its context become a mail, which goes to the mail server, or into a maildir
 * where there is none. */
#ifndef APP_MAIL_MAILER_H
#define APP_MAIL_MAILER_H

#include "base/json.h"

struct mailer;

/* All copied. */
struct mailer_opts {
    const char *smtp_url; /* NULL: into the maildir */
    const char *maildir;  /* a path; made if missing */
    const char *from;     /* "Name <address>" */
    const char *site_url; /* http://… or https://… */
};

SC_MUST_USE sc_err mailer_new(const struct mailer_opts *opts, struct mailer **ret_mailer,
                              sc_reason *ret_reason);
void mailer_free(struct mailer *mailer); /* NULL is fine */

/* The mail server's URL without its password, or the maildir's path. */
const char *mailer_where(const struct mailer *mailer);

struct mail {
    sc_slice to; /* "ada@example.org", "Ada <ada@example.org>" */
    sc_slice subject;
    sc_slice template_name;
    const json_t *context;
    sc_slice key;    /* the same key: the same mail, with the same Message-ID */
    int64_t date_ms; /* of the mail; the same for each try */
    bool (*is_cancelled)(const void *user); /* as smtp_mail's; NULL: never */
    const void *user;
};

enum { MESSAGE_ID_MAX = 320 };

/* Sends now. Any thread. `ret_message_id` gets "…@domain", with a NUL. Errors as of template_render,
 * message_write, smtp_send and maildir_deliver. */
SC_MUST_USE sc_err mailer_send(struct mailer *mailer, const struct mail *mail,
                               char ret_message_id[MESSAGE_ID_MAX], sc_reason *ret_reason);

/* True if trying the same mail again can't help. */
bool mail_error_is_final(sc_err err);

#endif
