#include "op_events.h"

#include "base/error.h"
#include "base/mem.h"
#include "codes.h"
#include "redis/client.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

enum { FIELDS_MAX = 1000, PUBLISH_MAX_LEN = 1000 };

static const sc__send_opts again = {.idempotent = true};

/* One number of an id, from `*at` on. */
static bool skip_number(sc_slice text, size_t *at)
{
    size_t from = *at;

    while (*at < text.len && text.ptr[*at] >= '0' && text.ptr[*at] <= '9')
        (*at)++;
    return *at > from && *at - from <= 20;
}

bool sc__stream_id_set(sc__stream_id *id, sc_slice text)
{
    size_t at = 0;

    if (!skip_number(text, &at))
        return false;
    if (at < text.len && (text.ptr[at++] != '-' || !skip_number(text, &at)))
        return false;
    if (at != text.len)
        return false;
    memcpy(id->text, text.ptr, text.len);
    id->text[text.len] = '\0';
    return true;
}

/* `reply` is a list of at most one entry: [id, fields]. */
static sc_err read_last(const sc_reply *reply, sc__stream_id *ret_id, sc_reason *ret_reason)
{
    const sc_reply *entries, *parts;
    sc_slice id = SC_S("0-0");
    size_t count, part_count = 0;
    sc_err err = sc__reply_array(reply, &entries, &count, ret_reason);

    if (!err && count)
        err = sc__reply_array(&entries[0], &parts, &part_count, ret_reason);
    if (!err && part_count)
        err = sc__reply_str(&parts[0], &id, ret_reason);
    if (!err && !sc__stream_id_set(ret_id, id))
        err = sc__because(ret_reason, SC_EPROTO, "the server sent an entry without an id");
    return err;
}

sc_err sc__op_last_event(sc_client *client, const sc__queue_keys *keys, sc__stream_id *ret_id,
                         sc_reason *ret_reason)
{
    const sc_slice argv[] = {SC_S("XREVRANGE"), keys->key[SC__KEY_EVENTS],
                             SC_S("+"),         SC_S("-"),
                             SC_S("COUNT"),     SC_S("1")};
    sc_reply *reply = NULL;
    sc_err err;

    err = sc__client_send_wait(client, argv, 6, &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "reading the queue's events: %s", sc_err_text(err));
    err = read_last(reply, ret_id, ret_reason);
    sc_reply_free(reply);
    return err;
}

static sc_err check_event(sc_slice name, const sc_event_field *fields, size_t count,
                          int64_t max_len, sc_reason *ret_reason)
{
    if (!name.len)
        return sc__because(ret_reason, SC_EINVAL, "the event has no name");
    if (count > FIELDS_MAX)
        return sc__because(ret_reason, SC_EINVAL, "the event has %zu fields; the limit is %d",
                           count, FIELDS_MAX);
    if (max_len < 0)
        return sc__because(ret_reason, SC_EINVAL, "the cap of the event stream is negative");
    for (size_t i = 0; i < count; i++)
        if (!fields[i].name.len || sc_slice_eq(fields[i].name, SC_S("event")))
            return sc__because(
                ret_reason, SC_EINVAL, "field %zu of the event has %s; give it another name", i + 1,
                fields[i].name.len ? "the name \"event\", which the event's own name has"
                                   : "no name");
    return SC_OK;
}

static sc_err send_event(sc_client *client, const sc_slice *argv, size_t argc,
                         sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, argc, NULL, &reply);

    if (err)
        return sc__because(ret_reason, err, "publishing an event: %s", sc_err_text(err));
    err = sc__reply_check(reply, ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_publish_event(sc_client *client, const sc__queue_keys *keys, sc_slice name,
                            const sc_event_field *fields, size_t count, int64_t max_len,
                            sc_reason *ret_reason)
{
    char digits[SC__INT_LEN];
    const sc_slice head[] = {
        SC_S("XADD"),
        keys->key[SC__KEY_EVENTS],
        SC_S("MAXLEN"),
        SC_S("~"),
        {digits, sc__int_text(max_len ? max_len : PUBLISH_MAX_LEN, digits)},
        SC_S("*"),
        SC_S("event"),
        name,
    };
    size_t argc = sizeof(head) / sizeof(*head);
    sc_slice *argv;
    sc_err err = check_event(name, fields, count, max_len, ret_reason);

    if (err)
        return err;
    argv = sc__malloc(sizeof(head) + 2 * count * sizeof(*argv));
    if (!argv)
        return SC_ENOMEM;
    memcpy(argv, head, sizeof(head));
    for (size_t i = 0; i < count; i++) {
        argv[argc++] = fields[i].name;
        argv[argc++] = fields[i].value;
    }
    err = send_event(client, argv, argc, ret_reason);
    sc_free(argv);
    return err;
}

sc_job_result *sc__job_result_new(sc_job_state state, sc_slice text)
{
    sc_job_result *result = sc__calloc(1, sizeof(*result) + text.len + 1);
    char *copy;

    if (!result)
        return NULL;
    copy = (char *)(result + 1);
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    result->state = state;
    if (state == SC_JOB_COMPLETED)
        result->return_value = (sc_slice){copy, text.len};
    else
        result->failed_reason = (sc_slice){copy, text.len};
    return result;
}

static sc_err read_finished(const sc_reply *reply, sc_job_result **ret_result)
{
    const sc_reply *items;
    sc_job_result *result = NULL;
    int64_t code = 0;
    sc_slice text;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, NULL);

    if (!err && !count)
        err = SC_EPROTO;
    if (!err)
        err = sc__reply_int(&items[0], &code, NULL);
    if (!err)
        err = sc__code_err(code, NULL);
    if (!err && code > 0)
        err = count == 2 ? sc__reply_str(&items[1], &text, NULL) : SC_EPROTO;
    if (!err && code > 0) {
        result = sc__job_result_new(code == 1 ? SC_JOB_COMPLETED : SC_JOB_FAILED, text);
        err = result ? SC_OK : SC_ENOMEM;
    }
    if (!err)
        *ret_result = result;
    return err;
}

sc_err sc__op_is_finished(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                          int64_t timeout_ms, sc_job_result **ret_result)
{
    const sc__send_opts opts = {.idempotent = true, .timeout_ms = timeout_ms};
    AUTO_STR job = STR_MAX(SC__JOB_KEY_MAX);
    sc_reply *reply = NULL;
    sc_err err;

    err = sc__queue_job_key(&job, keys, id, "", NULL);
    if (err)
        return err;

    const sc_slice script_keys[] = {sc__str_slice(&job), keys->key[SC__KEY_COMPLETED],
                                    keys->key[SC__KEY_FAILED]};
    SC__SCRIPT_CHECK_KEYS(isFinished, script_keys);
    err = sc__script_call_wait(client, &SC__SCRIPT_isFinished, script_keys,
                               SC__SCRIPT_KEYS_isFinished, &id, 1, &opts, &reply);
    if (!err)
        err = read_finished(reply, ret_result);
    sc_reply_free(reply);
    return err;
}
