#include "run_lock.h"

#include "base/clock.h"
#include "base/str.h"

#define ARGC(argv) (sizeof(argv) / sizeof(*(argv)))

static sc_slice time_text(char digits[SC__INT_LEN])
{
    return (sc_slice){digits, sc__int_text(RUN_LOCK_MS, digits)};
}

/* Only who holds the lock may extend or end it: compare and act in one step.
 * Input: KEYS[1] the lock, ARGV[1] the token, ARGV[2] its new time in ms (0: end it). Output: 1, or 0
 * when another holds it. */
static const char act_script[] = "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end "
                                 "if ARGV[2] == '0' then return redis.call('DEL', KEYS[1]) end "
                                 "return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

static sc_err act(const struct run_lock *lock, sc_slice time, bool *ret_held)
{
    const sc_slice argv[] = {
        SC_S("EVAL"), sc_slice_of(act_script), SC_S("1"), lock->key, lock->token, time};
    sc_reply *reply;
    sc_err err = sc_client_call(lock->client, argv, ARGC(argv), &reply);

    if (err)
        return err;
    if (reply->type == SC_REPLY_INT)
        *ret_held = reply->integer == 1;
    else
        err = SC_EREPLY;
    sc_reply_free(reply);
    return err;
}

sc_err run_lock_take(struct run_lock *lock)
{
    char digits[SC__INT_LEN];
    const sc_slice argv[] = {SC_S("SET"), lock->key,  lock->token,
                             SC_S("NX"),  SC_S("PX"), time_text(digits)};
    bool held = false;
    sc_reply *reply;
    sc_err err = sc_client_call(lock->client, argv, ARGC(argv), &reply);

    if (err)
        return err;
    if (reply->type == SC_REPLY_STRING)
        held = true;
    else if (reply->type == SC_REPLY_NIL)
        err = act(lock, time_text(digits), &held);
    else
        err = SC_EREPLY;
    sc_reply_free(reply);
    lock->kept_ms = sc__mono_ms();
    return err ? err : held ? SC_OK : SC_EBUSY;
}

bool run_lock_keep(struct run_lock *lock)
{
    int64_t now = sc__mono_ms();
    char digits[SC__INT_LEN];
    bool held = false;

    if (now - lock->kept_ms < RUN_LOCK_MS / 3)
        return true;
    if (act(lock, time_text(digits), &held))
        return now - lock->kept_ms < RUN_LOCK_MS; /* Redis is away; the lock is ours till then */
    lock->kept_ms = now;
    return held;
}

void run_lock_release(struct run_lock *lock)
{
    bool held;

    /* If Redis is away, the lock ends by itself. */
    (void)act(lock, SC_S("0"), &held);
}
