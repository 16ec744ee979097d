#include "mailer.h"

#include <stdio.h>
#include <xxhash.h>

#include "base/error.h"
#include "base/mem.h"

#include "address.h"
#include "maildir.h"
#include "message.h"
#include "smtp.h"
#include "template.h"

struct mailer {
    struct smtp *smtp; /* NULL: the maildir */
    char *maildir;
    char *from_text; /* `from` points into it */
    struct address from;
    char *site_url;
};

void mailer_free(struct mailer *mailer)
{
    if (!mailer)
        return;
    smtp_free(mailer->smtp);
    sc_free(mailer->maildir);
    sc_free(mailer->from_text);
    sc_free(mailer->site_url);
    sc_free(mailer);
}

const char *mailer_where(const struct mailer *mailer)
{
    return mailer->smtp ? smtp_where(mailer->smtp) : mailer->maildir;
}

/* Paths are put behind it: no slash at the end. */
static sc_err take_site_url(struct mailer *mailer, const char *url, sc_reason *ret_reason)
{
    size_t len;

    if (strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)
        return sc__because(ret_reason, SC_EINVAL,
                           "the site's URL \"%s\" must begin with https:// or http://", url);
    mailer->site_url = sc__strdup(url);
    if (!mailer->site_url)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    len = strlen(mailer->site_url);
    while (len && mailer->site_url[len - 1] == '/')
        mailer->site_url[--len] = '\0';
    return SC_OK;
}

static sc_err take_from(struct mailer *mailer, const char *from, sc_reason *ret_reason)
{
    sc_reason why;
    sc_err err;

    mailer->from_text = sc__strdup(from);
    if (!mailer->from_text)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = address_parse(sc_slice_of(mailer->from_text), &mailer->from, &why);
    if (err)
        return sc__because(ret_reason, SC_EINVAL, "the sender of mails \"%s\" %s", from, why.text);
    return SC_OK;
}

static sc_err take_way(struct mailer *mailer, const struct mailer_opts *opts, sc_reason *ret_reason)
{
    if (opts->smtp_url)
        return smtp_new(opts->smtp_url, &mailer->smtp, ret_reason);
    mailer->maildir = sc__strdup(opts->maildir);
    if (!mailer->maildir)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    return maildir_prepare(mailer->maildir, ret_reason);
}

sc_err mailer_new(const struct mailer_opts *opts, struct mailer **ret_mailer, sc_reason *ret_reason)
{
    struct mailer *mailer = sc__calloc(1, sizeof(*mailer));
    sc_err err;

    if (!mailer)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    err = take_site_url(mailer, opts->site_url, ret_reason);
    if (!err)
        err = take_from(mailer, opts->from, ret_reason);
    if (!err)
        err = take_way(mailer, opts, ret_reason);
    if (err) {
        mailer_free(mailer);
        return err;
    }
    *ret_mailer = mailer;
    return SC_OK;
}

/* ---- Sending ---- */

/* The left part of the Message-ID: 32 hex digits that depend on the key alone. */
static void write_id(sc_slice key, char out[33])
{
    XXH128_hash_t hash = XXH3_128bits(key.ptr, key.len);

    snprintf(out, 33, "%016llx%016llx", (unsigned long long)hash.high64,
             (unsigned long long)hash.low64);
}

static sc_err hand_over(struct mailer *mailer, const struct mail *given,
                        const struct message *message, const char *id, sc_reason *ret_reason)
{
    AUTO_STR bytes = STR_MAX(MESSAGE_MAX);
    char name[64];
    sc_err err = message_write(message, &bytes, ret_reason);

    if (err)
        return err;
    if (mailer->smtp) {
        const struct smtp_mail mail = {message->from.spec, message->to.spec, sc__str_slice(&bytes),
                                       given->is_cancelled, given->user};

        return smtp_send(mailer->smtp, &mail, ret_reason);
    }
    snprintf(name, sizeof(name), "%lld.%s.storychain", (long long)(message->date_ms / 1000), id);
    return maildir_deliver(mailer->maildir, name, sc__str_slice(&bytes), ret_reason);
}

sc_err mailer_send(struct mailer *mailer, const struct mail *mail,
                   char ret_message_id[MESSAGE_ID_MAX], sc_reason *ret_reason)
{
    AUTO_STR text = STR_MAX(TEMPLATE_OUT_MAX);
    AUTO_STR html = STR_MAX(TEMPLATE_OUT_MAX);
    struct template_input input = {mail->template_name, mail->context, mailer->site_url,
                                   mail->subject};
    struct message message = {
        .from = mailer->from, .subject = mail->subject, .date_ms = mail->date_ms};
    char id[33], message_id[MESSAGE_ID_MAX];
    sc_reason why;
    sc_err err;

    if (address_parse(mail->to, &message.to, &why))
        return sc__because(ret_reason, SC_EINVAL, "the mail's recipient %s", why.text);
    err = template_render(&input, &text, &html, ret_reason);
    if (err)
        return err;
    write_id(mail->key, id);
    snprintf(message_id, sizeof(message_id), "%s@%.*s", id, (int)mailer->from.domain.len,
             mailer->from.domain.ptr);
    message.message_id = sc_slice_of(message_id);
    message.text = sc__str_slice(&text);
    message.html = sc__str_slice(&html);
    err = hand_over(mailer, mail, &message, id, ret_reason);
    if (!err)
        memcpy(ret_message_id, message_id, sizeof(message_id));
    return err;
}

bool mail_error_is_final(sc_err err)
{
    return err == SC_EPERM || err == SC_EPAYLOAD || err == SC_EINVAL || err == SC_ENOTFOUND ||
           err == SC_ETOOBIG;
}
