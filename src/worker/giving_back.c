#include "giving_back.h"

#include "cancel.h"

/* How many of them are back. */
static int answered(sc_worker *w, sc_err err, const sc_reply *reply)
{
    sc_reason why = {""};
    sc__taken taken;
    int back = 0;

    if (!err)
        err = sc__taken_read(reply, &taken, &why);
    if (err)
        sc__core_log(&w->core, SC_LOG_WARN, "jobs could not be given back: %s",
                     why.text[0] ? why.text : sc_err_text(err));
    for (size_t i = 0; !err && i < taken.ended_count; i++)
        back += sc__taken_ended(&taken, i, NULL) == SC_OK;
    sc__core_call_ended(&w->core);
    return back;
}

static void on_given_back(void *user, sc_err err, const sc_reply *reply)
{
    sc_worker *w = user;

    w->given_back += answered(w, err, reply);
}

static void on_refused(void *user, sc_err err, const sc_reply *reply)
{
    answered(user, err, reply);
}

static void send_back(sc_worker *w, const sc__ended *ended, size_t count, sc_reply_cb cb)
{
    sc__lock_token none = {"", 0};
    sc_err err;

    if (!count)
        return;
    w->core.calls++;
    err = sc__op_finish(w->core.client, &w->core.work, ended, count, sc__lock_token_slice(&none), 0,
                        cb, w);
    if (err) {
        sc__core_log(&w->core, SC_LOG_WARN, "jobs could not be given back: %s", sc_err_text(err));
        sc__core_call_ended(&w->core);
    }
}

static sc__ended mark(sc_run *run)
{
    atomic_store(&run->given_back, true);
    sc__run_cancel(run, SC_CANCEL_CLOSING, (sc_slice){NULL, 0});
    return (sc__ended){
        .id = run->job->id, .token = sc__lock_token_slice(&run->token), .kind = SC__ENDED_RETURN};
}

/* The newest first: so the oldest one is at the head in the end. */
void sc__give_back_all(sc_worker *w)
{
    sc__ended ended[SC__WORK_MAX];
    size_t count = 0;

    for (sc_run *run = w->core.runs; run; run = run->older) {
        if (run->is_ended || run->lock_lost || atomic_load(&run->given_back))
            continue;
        ended[count++] = mark(run);
        if (count == SC__WORK_MAX) {
            send_back(w, ended, count, on_given_back);
            count = 0;
        }
    }
    send_back(w, ended, count, on_given_back);
}

void sc__refuse(sc_worker *w, sc_run *run)
{
    sc__ended ended = mark(run);

    send_back(w, &ended, 1, on_refused);
}

void sc__refuse_lingering(sc_worker *w)
{
    sc__ended ended[SC__WORK_MAX];
    sc_run *runs[SC__WORK_MAX], *run = w->core.runs;

    while (run) {
        size_t count = 0;

        for (; run && count < SC__WORK_MAX; run = run->older)
            if (run->lingers) {
                runs[count] = run;
                ended[count++] = mark(run);
            }
        send_back(w, ended, count, on_refused);
        for (size_t i = 0; i < count; i++)
            sc__run_put_back(runs[i], &w->spares);
    }
}
