/* Job scheduler commands of tests_peer. `repeat` has BullMQ's names; dates are in ms. */
#include <storychain/scheduler.h>

#include <stdlib.h>

#include "peer.h"

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

/* "~200": every 200 ms. Other patterns are cron expressions. */
static sc_err next_time(void *user, sc_slice scheduler_id, sc_slice pattern, sc_slice tz,
                        int64_t after_ms, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    (void)user;
    (void)scheduler_id;
    (void)tz;
    (void)ret_reason;
    if (pattern.ptr[0] != '~')
        return SC_ESYNTAX;
    *ret_next_ms = after_ms + atoll(pattern.ptr + 1);
    return SC_OK;
}

const sc_repeat_strategy peer_strategy = {.next = next_time};

/* The place of a policy's name in a list of four; 0 when it is not there. */
static int read_policy(const json_t *object, const char *key, const char *const names[4])
{
    sc_slice text = sc__json_text(object, key);

    for (int i = 1; i < 4; i++)
        if (sc_slice_eq(text, sc_slice_of(names[i])))
            return i;
    return 0;
}

static sc_repeat read_repeat(const json_t *object)
{
    static const char *const overlaps[4] = {"allow", "skip", "one", "all"};
    static const char *const catchups[4] = {"late", "none", "one", "all"};

    return (sc_repeat){
        .pattern = sc__json_text(object, "pattern"),
        .tz = sc__json_text(object, "tz"),
        .every_ms = sc__json_int(object, "every", 0),
        .offset_ms = sc__json_int(object, "offset", -1),
        .start_ms = sc__json_int(object, "startDate", 0),
        .end_ms = sc__json_int(object, "endDate", 0),
        .limit = sc__json_int(object, "limit", 0),
        .immediately = sc__json_bool(object, "immediately", false),
        .overlap = (sc_overlap)read_policy(object, "overlap", overlaps),
        .catchup = (sc_catchup)read_policy(object, "catchup", catchups),
        .catchup_window_ms = sc__json_int(object, "window", 0),
        .jitter_ms = sc__json_int(object, "jitter", 0),
    };
}

/* {"queue","id","repeat",["name","data","opts"]}: as queue.upsertJobScheduler; gives the pending job's id and time. */
static sc_err do_upsert(struct peer *peer, const json_t *args, json_t **ret_result,
                        sc_reason *ret_reason)
{
    const json_t *data = json_object_get(args, "data"), *opts = json_object_get(args, "opts");
    sc_repeat repeat = read_repeat(json_object_get(args, "repeat"));
    sc_job_opts job_opts = peer_job_opts(opts);
    sc_slice id = sc__json_text(args, "schedulerId"), name = sc__json_text(args, "name");
    sc_job_spec spec = {.name = name.len ? name : id, .opts = opts ? &job_opts : NULL};
    AUTO_STR text = STR_MAX(1024 * 1024);
    int64_t next_ms = 0;
    char *job_id = NULL;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (err)
        return err;
    if (data) {
        sc__json_write(&text, data);
        spec.data = sc__str_slice(&text);
    }
    err = sc_scheduler_upsert(queue, id, &repeat, &spec, &job_id, &next_ms, ret_reason);
    if (err)
        return err;
    *ret_result = json_pack("{s:s?, s:I}", "id", job_id, "next", (json_int_t)next_ms);
    sc_free(job_id);
    return SC_OK;
}

static sc_err do_remove(struct peer *peer, const json_t *args, json_t **ret_result,
                        sc_reason *ret_reason)
{
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_scheduler_remove(queue, sc__json_text(args, "schedulerId"));
    if (!err)
        *ret_result = json_true();
    return err;
}

static void put_text(json_t *object, const char *key, sc_slice text)
{
    if (text.len)
        json_object_set_new(object, key, json_stringn(text.ptr, text.len));
}

static void put_number(json_t *object, const char *key, int64_t number)
{
    if (number > 0)
        json_object_set_new(object, key, json_integer(number));
}

static json_t *show(const sc_scheduler_info *info)
{
    json_t *object = json_object();

    put_text(object, "key", info->id);
    put_text(object, "name", info->name);
    put_text(object, "pattern", info->pattern);
    put_text(object, "tz", info->tz);
    put_number(object, "next", info->next_ms);
    put_number(object, "iterationCount", info->iterations);
    put_number(object, "every", info->every_ms);
    put_number(object, "limit", info->limit);
    put_number(object, "startDate", info->start_ms);
    put_number(object, "endDate", info->end_ms);
    put_text(object, "data", info->data);
    put_text(object, "opts", info->opts);
    return object;
}

static sc_err do_list(struct peer *peer, const json_t *args, json_t **ret_result,
                      sc_reason *ret_reason)
{
    sc_scheduler_list *list;
    sc_queue *queue;
    sc_err err = peer_queue(peer, args, &queue, ret_reason);

    if (!err)
        err = sc_scheduler_list_get(queue, 0, -1, &list);
    if (err)
        return err;
    *ret_result = json_array();
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(*ret_result, show(&list->items[i]));
    sc_scheduler_list_free(list);
    return SC_OK;
}

/* {"event":"guard","schedulerId":…,"code":"SC_EINVAL","text":…} */
static void tell_error(void *user, sc_slice scheduler_id, sc_err err, const char *text)
{
    (void)user;
    peer_emit(json_pack("{s:s, s:s%, s:s, s:s}", "event", "guard", "schedulerId", scheduler_id.ptr,
                        scheduler_id.len, "code", sc_err_name(err), "text", text));
}

/* {"queue","intervalMs"}: a guardian until the peer ends. */
static sc_err do_guard(struct peer *peer, const json_t *args, json_t **ret_result,
                       sc_reason *ret_reason)
{
    const sc_scheduler_guard_opts opts = {.interval_ms = sc__json_int(args, "intervalMs", 0),
                                          .on_error = tell_error};
    sc_queue *queue;
    sc_err err;

    if (peer->guard)
        return SC_EEXIST;
    err = peer_queue(peer, args, &queue, ret_reason);
    if (!err)
        err = sc_scheduler_guard_start(queue, &opts, &peer->guard);
    if (!err)
        *ret_result = json_true();
    return err;
}

const struct peer_command peer_scheduler_commands[] = {
    {"upsertScheduler", do_upsert},
    {"removeScheduler", do_remove},
    {"schedulers", do_list},
    {"guard", do_guard},
    {NULL, NULL},
};
