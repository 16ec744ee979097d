/* Sends a mail. A try that is repeated sends the same Message-ID, so that mail servers and readers can
 * tell; a refusal for good is not tried again. */
#include "app/processors.h"

#include "app/mail/mailer.h"

/* The program ends and has handed the job back: nobody waits for a slow mail server. */
static bool is_cancelled(const void *run)
{
    return sc_run_is_cancelled(run);
}

sc_outcome process_email(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    const struct app *app = user;
    const struct mail mail = {
        .to = sc__json_text(payload, "to"),
        .subject = sc__json_text(payload, "subject"),
        .template_name = sc__json_text(payload, "template"),
        .context = json_object_get(payload, "context"),
        .key = processor_key(run, app, QUEUE_EMAIL, job),
        .date_ms = job->timestamp_ms,
        .is_cancelled = is_cancelled,
        .user = run,
    };
    char message_id[MESSAGE_ID_MAX];
    sc_reason why = {""};
    sc_err err = mailer_send(app->mailer, &mail, message_id, &why);

    if (err)
        return sc_run_fail(run, mail_error_is_final(err) ? SC_GIVE_UP : SC_FAILED, "%s", why.text);
    return processor_return(run, json_pack("{s:b, s:s}", "sent", 1, "messageId", message_id));
}
