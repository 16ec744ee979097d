#include "op_get.h"

#include <stdatomic.h>

#include "base/error.h"
#include "base/log.h"
#include "job_decode.h"
#include "loop/waiter.h"
#include "redis/client.h"
#include "redis/reply.h"
#include "script.h"
#include "scripts.h"

#define STATE_REACH "100000" /* ids of a list that are looked at from each end */

#define RANGE_MAX (INT64_C(1) << 53) /* more than any list has */

enum { HASHES_AT_ONCE = 100 };

static const sc__send_opts again = {.idempotent = true};

static sc_err read_job(sc_slice id, sc_err err, const sc_reply *reply, sc_job **ret_job,
                       sc_reason *ret_reason)
{
    if (err)
        return sc__because(ret_reason, err, "reading a job: %s", sc_err_text(err));
    if (sc__reply_is_error(reply, "WRONGTYPE"))
        return sc__because(ret_reason, SC_ELAYOUT, "job %.*s is not stored as a hash",
                           id.len < 64 ? (int)id.len : 64, id.ptr);
    err = sc__reply_check(reply, ret_reason);
    if (err)
        return err;
    return sc__job_decode_new(id, reply, ret_job, ret_reason);
}

sc_err sc__op_get_job(sc_client *client, const sc__queue_keys *keys, sc_slice id, sc_job **ret_job,
                      sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    sc_reply *reply = NULL;
    sc_err err;

    err = sc__queue_job_key(&key, keys, id, "", ret_reason);
    if (err)
        return err;
    err = sc__client_send_wait(client, (const sc_slice[]){SC_S("HGETALL"), sc__str_slice(&key)}, 2,
                               &again, &reply);
    err = read_job(id, err, reply, ret_job, ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_get_state(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                        sc_job_state *ret_state, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    const sc_slice *k = keys->key;
    const sc_slice args[] = {id, SC_S(STATE_REACH)};
    sc_reply *reply = NULL;
    sc_slice name;
    sc_err err;

    err = sc__queue_job_key(&key, keys, id, "", ret_reason);
    if (err)
        return err;

    const sc_slice script_keys[] = {
        sc__str_slice(&key), k[SC__KEY_COMPLETED],   k[SC__KEY_FAILED],
        k[SC__KEY_DELAYED],  k[SC__KEY_PRIORITIZED], k[SC__KEY_WAITING_CHILDREN],
        k[SC__KEY_ACTIVE],   k[SC__KEY_WAIT],        k[SC__KEY_PAUSED],
    };
    SC__SCRIPT_CHECK_KEYS(getState, script_keys);
    err = sc__script_call_wait(client, &SC__SCRIPT_getState, script_keys, SC__SCRIPT_KEYS_getState,
                               args, 2, &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "reading a job's state: %s", sc_err_text(err));
    err = sc__reply_str(reply, &name, ret_reason);
    if (!err)
        *ret_state = sc_job_state_of(name);
    sc_reply_free(reply);
    return err;
}

/* Where the ids of a state are. False for a state that has no place. */
static bool place_of(sc_job_state state, sc__queue_key *ret_key, bool *ret_is_list)
{
    static const struct {
        sc__queue_key key;
        bool is_list, known;
    } places[SC_JOB_STATE_COUNT] = {
        [SC_JOB_WAITING] = {SC__KEY_WAIT, true, true},
        [SC_JOB_ACTIVE] = {SC__KEY_ACTIVE, true, true},
        [SC_JOB_DELAYED] = {SC__KEY_DELAYED, false, true},
        [SC_JOB_PRIORITIZED] = {SC__KEY_PRIORITIZED, false, true},
        [SC_JOB_WAITING_CHILDREN] = {SC__KEY_WAITING_CHILDREN, false, true},
        [SC_JOB_COMPLETED] = {SC__KEY_COMPLETED, false, true},
        [SC_JOB_FAILED] = {SC__KEY_FAILED, false, true},
    };

    if ((unsigned)state >= SC_JOB_STATE_COUNT || !places[state].known)
        return false;
    *ret_key = places[state].key;
    *ret_is_list = places[state].is_list;
    return true;
}

static sc_err call_range(sc_client *client, const char *command, sc_slice key, int64_t from,
                         int64_t to, sc_reply **ret_reply, sc_reason *ret_reason)
{
    char from_text[SC__INT_LEN], to_text[SC__INT_LEN];
    const sc_slice argv[] = {
        sc_slice_of(command),
        key,
        {from_text, sc__int_text(from, from_text)},
        {to_text, sc__int_text(to, to_text)},
    };
    const sc_reply *items;
    size_t count;
    sc_reply *reply = NULL;
    sc_err err;

    err = sc__client_send_wait(client, argv, 4, &again, &reply);
    if (err)
        return sc__because(ret_reason, err, "reading a range: %s", sc_err_text(err));
    err = sc__reply_array(reply, &items, &count, ret_reason);
    if (err)
        sc_reply_free(reply);
    else
        *ret_reply = reply;
    return err;
}

static sc_err check_range(int64_t start, int64_t *end, sc_reason *ret_reason)
{
    if (start < 0 || start > RANGE_MAX || *end < -1)
        return sc__because(ret_reason, SC_EINVAL,
                           "a range counts from 0; its end may be -1, for the last");
    if (*end == -1 || *end > start + SC__PAGE_MAX - 1)
        *end = start + SC__PAGE_MAX - 1;
    return SC_OK;
}

static void reverse(sc_reply *reply)
{
    sc_reply *items = (sc_reply *)reply->items;

    for (size_t i = 0, j = reply->count; i + 1 < j; i++) {
        sc_reply swapped = items[i];

        items[i] = items[--j];
        items[j] = swapped;
    }
}

sc_err sc__op_get_ids(sc_client *client, const sc__queue_keys *keys, sc_job_state state,
                      int64_t start, int64_t end, bool ascending, sc_reply **ret_reply,
                      sc_reason *ret_reason)
{
    sc__queue_key place;
    bool is_list;
    sc_err err;

    if (!place_of(state, &place, &is_list))
        return sc__because(ret_reason, SC_EINVAL, "no jobs are kept under that state");
    err = check_range(start, &end, ret_reason);
    if (err)
        return err;
    if (!is_list)
        return call_range(client, ascending ? "ZRANGE" : "ZREVRANGE", keys->key[place], start, end,
                          ret_reply, ret_reason);
    if (!ascending)
        return call_range(client, "LRANGE", keys->key[place], start, end, ret_reply, ret_reason);
    /* The oldest are at the right end. */
    err = call_range(client, "LRANGE", keys->key[place], -(end + 1), -(start + 1), ret_reply,
                     ret_reason);
    if (!err)
        reverse(*ret_reply);
    return err;
}

/* Some jobs that are read in one pipeline, and the thread that waits for all of them. */
struct hashes {
    sc__waiter waiter;
    atomic_size_t missing; /* replies */
    struct hash {
        struct hashes *all;
        sc_slice id;
        sc_job **job;
        sc_err err;
    } hash[HASHES_AT_ONCE];
};

static void on_hash(void *user, sc_err err, const sc_reply *reply)
{
    struct hash *hash = user;
    sc_reason reason = {""};

    hash->err = read_job(hash->id, err, reply, hash->job, &reason);
    if (hash->err == SC_ELAYOUT || hash->err == SC_EREPLY) {
        sc__log(SC_LOG_WARN, "a job is left out: %s", reason.text);
        hash->err = SC_OK;
    } else if (hash->err == SC_ENOJOB) {
        hash->err = SC_OK; /* removed since its id was read */
    }
    if (atomic_fetch_sub(&hash->all->missing, 1) == 1)
        sc__waiter_wake(&hash->all->waiter);
}

static sc_err send_hash(sc_client *client, const sc__queue_keys *keys, struct hash *hash)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    sc_err err = sc__queue_job_key(&key, keys, hash->id, "", NULL);

    if (err == SC_ETOOBIG) {
        sc__log(SC_LOG_WARN, "a job is left out: its id has %zu bytes", hash->id.len);
        return SC_ENOJOB;
    }
    if (err)
        return err;
    return sc__client_send(client, (const sc_slice[]){SC_S("HGETALL"), sc__str_slice(&key)}, 2,
                           &again, on_hash, hash);
}

static sc_err read_slice(sc_client *client, const sc__queue_keys *keys, const sc_slice *ids,
                         size_t count, sc_job **jobs)
{
    struct hashes all;
    sc_err err = SC_OK;

    sc__waiter_init(&all.waiter);
    atomic_init(&all.missing, count);
    for (size_t i = 0; i < count; i++) {
        all.hash[i] = (struct hash){.all = &all, .id = ids[i], .job = &jobs[i]};
        err = send_hash(client, keys, &all.hash[i]);
        if (!err)
            continue; /* from here on it is the callback's, which may have come already */
        all.hash[i].err = err == SC_ENOJOB ? SC_OK : err;
        if (atomic_fetch_sub(&all.missing, 1) == 1)
            sc__waiter_wake(&all.waiter);
    }
    sc__waiter_wait(&all.waiter);
    err = SC_OK;
    for (size_t i = 0; i < count && !err; i++)
        err = all.hash[i].err;
    sc__waiter_release(&all.waiter);
    return err;
}

sc_err sc__op_get_hashes(sc_client *client, const sc__queue_keys *keys, const sc_slice *ids,
                         size_t count, sc_job **ret_jobs, sc_reason *ret_reason)
{
    sc_err err = SC_OK;

    if (sc__loop_is_current(sc__client_loop(client)))
        return SC_EDEADLK;
    for (size_t i = 0; i < count; i++)
        ret_jobs[i] = NULL;
    for (size_t at = 0; at < count && !err; at += HASHES_AT_ONCE) {
        size_t some = count - at < HASHES_AT_ONCE ? count - at : HASHES_AT_ONCE;

        err = read_slice(client, keys, ids + at, some, ret_jobs + at);
    }
    if (err)
        return sc__because(ret_reason, err, "reading jobs: %s", sc_err_text(err));
    return SC_OK;
}

sc_err sc__op_get_counts(sc_client *client, const sc__queue_keys *keys, sc_reply_cb cb, void *user)
{
    const sc_slice *k = keys->key;
    const sc_slice script_keys[] = {
        k[SC__KEY_WAIT],
        k[SC__KEY_ACTIVE],
        k[SC__KEY_DELAYED],
        k[SC__KEY_PRIORITIZED],
        k[SC__KEY_WAITING_CHILDREN],
        k[SC__KEY_COMPLETED],
        k[SC__KEY_FAILED],
        k[SC__KEY_META],
    };

    SC__SCRIPT_CHECK_KEYS(getCounts, script_keys);
    return sc__script_call(client, &SC__SCRIPT_getCounts, script_keys, SC__SCRIPT_KEYS_getCounts,
                           NULL, 0, &again, cb, user);
}

sc_err sc__op_counts_reply(sc_err err, const sc_reply *reply, sc_queue_counts *ret_counts,
                           sc_reason *ret_reason)
{
    static const sc_job_state order[] = {
        SC_JOB_WAITING,          SC_JOB_ACTIVE,    SC_JOB_DELAYED, SC_JOB_PRIORITIZED,
        SC_JOB_WAITING_CHILDREN, SC_JOB_COMPLETED, SC_JOB_FAILED,
    };
    enum { STATES = sizeof(order) / sizeof(*order) };
    sc_queue_counts counts = {0};
    const sc_reply *items;
    int64_t paused;
    size_t n;

    if (err)
        return sc__because(ret_reason, err, "counting jobs: %s", sc_err_text(err));
    err = sc__reply_array(reply, &items, &n, ret_reason);
    if (!err && n != STATES + 1)
        err = sc__because(ret_reason, SC_EPROTO, "the server sent %zu counts instead of %d", n,
                          STATES + 1);
    for (size_t i = 0; !err && i < STATES; i++)
        err = sc__reply_int(&items[i], &counts.by_state[order[i]], ret_reason);
    if (!err)
        err = sc__reply_int(&items[STATES], &paused, ret_reason);
    if (err)
        return err;
    counts.paused = paused != 0;
    *ret_counts = counts;
    return SC_OK;
}

sc_err sc__op_get_logs(sc_client *client, const sc__queue_keys *keys, sc_slice id, int64_t start,
                       int64_t end, sc_reply **ret_reply, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    sc_err err = check_range(start, &end, ret_reason);

    if (err)
        return err;
    err = sc__queue_job_key(&key, keys, id, ":logs", ret_reason);
    if (err)
        return err;
    return call_range(client, "LRANGE", sc__str_slice(&key), start, end, ret_reply, ret_reason);
}
