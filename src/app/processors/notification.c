/* Delivers a notification: makes sure that it is stored, and mails it to the user who has an address. */
#include "app/processors.h"

#include "app/invalidate.h"
#include "app/store/store.h"

enum { MEMORY_MAX = 1024 * 1024 };

/* The notification of a service is in the store already, under the payload's key; that of a program
 * that only added a job gets a key of the job's. */
static sc_err store_it(struct app *app, sc_run *run, const sc_job *job, const json_t *payload,
                       sc__arena *arena, struct notification *n, sc_reason *ret_reason)
{
    AUTO_STR metadata = STR_MAX(PAYLOAD_MAX);
    bool created = false;
    sc_err err;

    if (json_is_object(json_object_get(payload, "metadata")))
        sc__json_write(&metadata, json_object_get(payload, "metadata"));
    *n = (struct notification){
        .user_id = sc__json_text(payload, "userId"),
        .type = sc__json_text(payload, "type"),
        .title = sc__json_text(payload, "title"),
        .message = sc__json_text(payload, "message"),
        .action_url = sc__json_text(payload, "actionUrl"),
        .metadata = sc__str_slice(&metadata),
        .key = sc__json_text(payload, "key"),
        .created_ms = job->timestamp_ms,
    };
    if (!n->key.len)
        n->key = processor_key(run, app, QUEUE_NOTIFICATION, job);
    err = store_notification_insert(app->store, n, arena, &created, ret_reason);
    n->metadata = (sc_slice){NULL, 0};
    if (!err && created)
        invalidate_notification_count(app->cache, n->user_id);
    return err;
}

/* A digest of one. */
static json_t *mail_context(const struct user *user, const struct notification *n)
{
    json_t *item = json_object();

    json_object_set_new(item, "title", json_stringn(n->title.ptr, n->title.len));
    json_object_set_new(item, "message", json_stringn(n->message.ptr, n->message.len));
    if (n->action_url.len)
        json_object_set_new(item, "actionUrl", json_stringn(n->action_url.ptr, n->action_url.len));
    return json_pack("{s:s%, s:[o]}", "name", user->name.len ? user->name.ptr : "", user->name.len,
                     "notifications", item);
}

static sc_err mail_it(struct app *app, const struct notification *n, sc__arena *arena,
                      sc_reason *ret_reason)
{
    AUTO_JSON *context = NULL;
    struct user *user = NULL;
    struct email email;
    char *id;
    sc_err err = store_user_find(app->store, n->user_id, arena, &user, ret_reason);

    if (err || !user || !user->email.len)
        return err;
    context = mail_context(user, n);
    id = sc__arena_printf(arena, "notification-%.*s", (int)n->id.len, n->id.ptr);
    if (!context || !id)
        return SC_ENOMEM;
    email = (struct email){user->email, n->title, SC_S("notification-digest"), context};
    return queues_send_email(app->queues, &email, sc_slice_of(id), NULL, ret_reason);
}

sc_outcome process_notification(sc_run *run, const sc_job *job, const json_t *payload, void *user)
{
    struct app *app = user;
    struct notification n;
    sc_reason why = {"out of memory"};
    sc_outcome outcome;
    sc__arena arena;
    sc_err err;

    sc__arena_init(&arena, MEMORY_MAX);
    err = store_it(app, run, job, payload, &arena, &n, &why);
    if (!err)
        err = mail_it(app, &n, &arena, &why);
    /* No such user, or an address that no mail can go to: later is no better. */
    if (err)
        outcome =
            sc_run_fail(run, err == SC_ENOTFOUND || err == SC_EPAYLOAD ? SC_GIVE_UP : SC_FAILED,
                        "%s", why.text);
    else
        outcome = processor_return(
            run, json_pack("{s:b, s:s%}", "delivered", 1, "notificationId", n.id.ptr, n.id.len));
    sc__arena_release(&arena);
    return outcome;
}
