/* The ticker: the next job of a scheduler, when a worker has taken one. */
#include <stdio.h>

#include <xxhash.h>

#include <storychain/cron.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "op_scheduler.h"
#include "redis/reply.h"
#include "scheduler_keys.h"
#include "scheduler_opts.h"
#include "scripts.h"

enum {
    ARGS_BYTES_MAX = 256 * 1024,
    OPTS_BYTES_MAX = 128 * 1024,
    ZONES = 16,
    CHECK_MS = 1000, /* then it is read again when tzdata has changed */
    COMPLAINTS = 64,
    GRACE_MS = 3000, /* a next run that is late by less, for all were busy, has not been missed */
    ROUNDS = 8       /* scripts for one tick at most */
};

struct cached_zone {
    char name[128];
    sc_zone *zone;
    int64_t checked_ms;
};

struct sc__ticker {
    sc_client *client;
    const sc__queue_keys *keys;
    sc_repeat_strategy strategy; /* without next(): none */
    sc_scheduler_error_cb on_error;
    void *on_error_user;
    struct cached_zone *zones; /* ZONES, from the first that is asked for on; NULL: none */
    size_t next_zone;
    uint64_t complaints[COMPLAINTS]; /* hashes of what was logged already */
    size_t next_complaint;
};

/* One tick under way. */
struct tick {
    sc__ticker *ticker;
    char *scheduler_id, *job_id, *opts;
    sc__scheduler_opts read; /* pattern and tz: what to compute with */
    int64_t after_ms;        /* the time of the job taken, or what the script said */
    int rounds;
    bool is_off; /* the job taken is of no time of the pattern */
    bool has_advanced;
    sc__ticker_cb cb;
    void *user;
};

sc_err sc__ticker_new(sc_client *client, const sc__queue_keys *keys,
                      const sc_repeat_strategy *strategy, sc__ticker **ret_ticker)
{
    sc__ticker *t = sc__calloc(1, sizeof(*t));

    if (!t)
        return SC_ENOMEM;
    t->client = client;
    t->keys = keys;
    if (strategy)
        t->strategy = *strategy;
    *ret_ticker = t;
    return SC_OK;
}

void sc__ticker_on_error(sc__ticker *ticker, sc_scheduler_error_cb cb, void *user)
{
    ticker->on_error = cb;
    ticker->on_error_user = user;
}

void sc__ticker_forget_zones(sc__ticker *ticker)
{
    for (size_t i = 0; ticker->zones && i < ZONES; i++)
        sc_zone_close(ticker->zones[i].zone);
    sc_free(ticker->zones);
    ticker->zones = NULL;
}

void sc__ticker_free(sc__ticker *ticker)
{
    if (!ticker)
        return;
    sc__ticker_forget_zones(ticker);
    sc_free(ticker);
}

const sc_repeat_strategy *sc__ticker_strategy(const sc__ticker *ticker)
{
    return &ticker->strategy;
}

/* A zone by this name that may be used as it is, or the place for one. */
static struct cached_zone *find_slot(sc__ticker *t, sc_slice name, bool *ret_found)
{
    int64_t now_ms = sc__mono_ms();

    *ret_found = false;
    for (size_t i = 0; i < ZONES; i++) {
        struct cached_zone *z = &t->zones[i];

        if (!z->zone || !sc_slice_eq(sc_slice_of(z->name), name))
            continue;
        *ret_found = now_ms - z->checked_ms < CHECK_MS || !sc_zone_is_stale(z->zone);
        if (*ret_found && now_ms - z->checked_ms >= CHECK_MS)
            z->checked_ms = now_ms;
        return z;
    }
    t->next_zone = (t->next_zone + 1) % ZONES;
    return &t->zones[t->next_zone];
}

sc_err sc__ticker_zone(sc__ticker *ticker, sc_slice name, const sc_zone **ret_zone,
                       sc_reason *ret_reason)
{
    struct cached_zone *slot;
    sc_zone *zone;
    bool found;
    sc_err err;

    if (!ticker->zones)
        ticker->zones = sc__calloc(ZONES, sizeof(*ticker->zones));
    if (!ticker->zones)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    slot = find_slot(ticker, name, &found);
    if (!found) {
        err = sc_zone_open(name, &zone, ret_reason);
        if (err)
            return err;
        sc_zone_close(slot->zone);
        snprintf(slot->name, sizeof(slot->name), "%.*s", (int)name.len, name.len ? name.ptr : "");
        slot->zone = zone;
        slot->checked_ms = sc__mono_ms();
    }
    *ret_zone = slot->zone;
    return SC_OK;
}

sc_err sc__strategy_next(const sc_repeat_strategy *strategy, sc_slice scheduler_id,
                         sc_slice pattern, sc_slice tz, int64_t after_ms, int64_t *ret_next_ms,
                         sc_reason *ret_reason)
{
    sc_reason why = {""};
    int64_t next_ms = 0;
    sc_err err;

    if (!strategy || !strategy->next)
        return SC_ESYNTAX;
    err = strategy->next(strategy->user, scheduler_id, pattern, tz, after_ms, &next_ms, &why);
    if (err == SC_ESYNTAX)
        return err;
    if (!err && next_ms <= after_ms)
        return sc__because(ret_reason, SC_EINVAL,
                           "the strategy of its pattern gave a time that is not after the last");
    if (err)
        return sc__because(ret_reason, err, "its pattern: %s",
                           why.text[0] ? why.text : sc_err_text(err));
    *ret_next_ms = next_ms;
    return SC_OK;
}

/* Once for each schedule and kind of error. */
static void tell(sc__ticker *t, sc_slice scheduler_id, sc_err err, const char *outcome,
                 const sc_reason *reason)
{
    uint64_t hash = XXH3_64bits_withSeed(scheduler_id.ptr, scheduler_id.len, err);
    char text[400];

    for (size_t i = 0; i < COMPLAINTS; i++)
        if (t->complaints[i] == hash)
            return;
    t->complaints[t->next_complaint] = hash;
    t->next_complaint = (t->next_complaint + 1) % COMPLAINTS;
    snprintf(text, sizeof(text), "%s: %s", outcome,
             reason->text[0] ? reason->text : sc_err_text(err));
    sc__log(SC_LOG_ERROR, "queue %.*s: job scheduler %.*s: %s",
            t->keys && t->keys->base.len ? (int)t->keys->base.len - 1 : 0,
            t->keys ? t->keys->base.ptr : "", (int)scheduler_id.len, scheduler_id.ptr, text);
    if (t->on_error)
        t->on_error(t->on_error_user, scheduler_id, err, text);
}

void sc__ticker_complain(sc__ticker *ticker, sc_slice scheduler_id, sc_err err,
                         const sc_reason *reason)
{
    tell(ticker, scheduler_id, err, "no next job was made", reason);
}

static void tell_skip(sc__ticker *t, sc_slice scheduler_id, sc_err err, const sc_reason *reason)
{
    tell(t, scheduler_id, err, "it goes on with its first time from now on", reason);
}

sc_err sc__ticker_strategy_next(sc__ticker *ticker, sc_slice scheduler_id, sc_slice pattern,
                                sc_slice tz, int64_t after_ms, int64_t *ret_next_ms,
                                sc_reason *ret_reason)
{
    const sc_repeat_strategy *strategy = &ticker->strategy;
    int64_t now_ms = sc__wall_ms();
    sc_reason why = {""};
    sc_err err =
        sc__strategy_next(strategy, scheduler_id, pattern, tz, after_ms, ret_next_ms, &why);

    if (err == SC_EINVAL && after_ms < now_ms &&
        !sc__strategy_next(strategy, scheduler_id, pattern, tz, now_ms, ret_next_ms, NULL)) {
        tell_skip(ticker, scheduler_id, err, &why);
        return SC_OK;
    }
    return err && err != SC_ESYNTAX ? sc__because(ret_reason, err, "%s", why.text) : err;
}

sc_err sc__ticker_cron(sc_slice scheduler_id, sc_slice pattern, sc_cron_dst dst, sc_cron **ret_cron,
                       sc_reason *ret_reason)
{
    const sc_cron_opts opts = {.hash_seed = scheduler_id, .allow_short = true, .dst = dst};
    sc_cron_error error = {.text = ""};
    sc_err err = sc_cron_parse(pattern, &opts, ret_cron, &error);

    return err ? sc__because(ret_reason, err, "its pattern: %s",
                             *error.text ? error.text : sc_err_text(err))
               : SC_OK;
}

static sc_err next_by_cron(sc__ticker *ticker, sc_slice scheduler_id, sc_slice pattern, sc_slice tz,
                           int64_t after_ms, int64_t *ret_next_ms, sc_reason *ret_reason)
{
    const sc_zone *zone = NULL;
    sc_cron *cron;
    sc_err err = sc__ticker_cron(scheduler_id, pattern, SC_CRON_DST_VIXIE, &cron, ret_reason);

    if (err)
        return err;
    err = sc__ticker_zone(ticker, tz, &zone, ret_reason);
    if (err == SC_ENOTFOUND)
        err = SC_EINVAL; /* not to be taken for the end of the schedule */
    else if (!err)
        err = sc_cron_next(cron, zone, after_ms, ret_next_ms);
    sc_cron_free(cron);
    return err;
}

sc_err sc__ticker_next_time(sc__ticker *ticker, sc_slice scheduler_id, sc_slice pattern,
                            sc_slice tz, int64_t after_ms, int64_t *ret_next_ms,
                            sc_reason *ret_reason)
{
    sc_err err = sc__ticker_strategy_next(ticker, scheduler_id, pattern, tz, after_ms, ret_next_ms,
                                          ret_reason);

    return err == SC_ESYNTAX
               ? next_by_cron(ticker, scheduler_id, pattern, tz, after_ms, ret_next_ms, ret_reason)
               : err;
}

static void tick_free(struct tick *tick)
{
    sc_free(tick->scheduler_id);
    sc_free(tick->job_id);
    sc_free(tick->opts);
    sc_free(tick);
}

int64_t sc__time_of_job(sc_slice scheduler_id, sc_slice job_id)
{
    size_t head = strlen("repeat:") + scheduler_id.len + 1;
    int64_t ms;

    if (job_id.len <= head ||
        !sc__int_parse((sc_slice){job_id.ptr + head, job_id.len - head}, &ms) || ms < 0)
        return 0;
    return ms;
}

/* A backfill of a schedule without guard is taken for one, too: should its run be the one that the schedule waits for, a guardian goes on from it. */
bool sc__is_guarded_run(sc_slice opts)
{
    sc__scheduler_opts read;

    sc__scheduler_opts_read(opts, &read);
    return read.nominal_ms > 0;
}

static void tick_args(struct tick *tick, sc__args *args, int64_t next_ms, sc_slice head)
{
    const sc__scheduler_opts *read = &tick->read;

    sc__scheduler_args(args, tick->ticker->keys, sc_slice_of(tick->scheduler_id));
    sc__args_text(args, tick->job_id);
    sc__scheduler_number(args, next_ms);
    sc__args_text(args, read->pattern);
    sc__args_text(args, read->tz);
    sc__args_slice(args, head);
    sc__args_int(args, read->count + 1);
    sc__args_int(args, read->priority);
    sc__args_slice(args, read->lifo ? SC_S("RPUSH") : SC_S("LPUSH"));
    sc__args_text(args, read->dedup_id);
    sc__scheduler_number(args, read->every_ms);
    sc__scheduler_number(args, read->offset_ms);
    sc__scheduler_number(args, read->limit);
    sc__scheduler_number(args, read->end_ms);
    sc__args_int(args, GRACE_MS);
}

static void on_reply(void *user, sc_err err, const sc_reply *reply);

static sc_err send_script(struct tick *tick, int64_t next_ms, sc_reason *reason)
{
    AUTO_STR head = STR_MAX(OPTS_BYTES_MAX);
    const sc__send_opts opts = {.idempotent = true};
    sc_slice keys[SC__SCHEDULER_KEYS];
    sc__arena arena;
    sc__args args;
    sc_err err;

    sc__scheduler_next_head_write(&head, sc_slice_of(tick->scheduler_id), sc_slice_of(tick->opts),
                                  tick->read.count + 1, sc_slice_of(tick->read.pattern),
                                  sc_slice_of(tick->read.tz));
    if (head.err)
        return sc__because(reason, head.err, "the options of its jobs are too large");
    sc__arena_init(&arena, ARGS_BYTES_MAX);
    sc__args_init(&args, &arena);
    sc__scheduler_keys(tick->ticker->keys, keys);
    tick_args(tick, &args, next_ms, sc__str_slice(&head));
    err = args.err;
    if (!err)
        err = sc__script_call(tick->ticker->client, &SC__SCRIPT_tickScheduler, keys,
                              SC__SCHEDULER_KEYS, args.items, args.count, &opts, on_reply, tick);
    sc__arena_release(&arena);
    return err;
}

/* Computes and asks the script. */
static sc_err advance(struct tick *tick, sc_reason *reason)
{
    int64_t next_ms = 0;
    sc_err err = SC_OK;

    if (tick->rounds++ == ROUNDS)
        return sc__because(reason, SC_ESLOT, "its next times are past, or have a job already");
    if (tick->read.pattern[0])
        err = sc__ticker_next_time(tick->ticker, sc_slice_of(tick->scheduler_id),
                                   sc_slice_of(tick->read.pattern), sc_slice_of(tick->read.tz),
                                   tick->after_ms, &next_ms, reason);
    if (err && err != SC_ENOTFOUND)
        return err;
    return send_script(tick, next_ms, reason);
}

static bool copy_to(char *out, size_t size, sc_slice text)
{
    if (text.len >= size || memchr(text.ptr, '\0', text.len))
        return false;
    memcpy(out, text.ptr, text.len);
    out[text.len] = '\0';
    return true;
}

/* The rule has another pattern than the job, or time went on: once more, from `items[1]` on. */
static sc_err again(struct tick *tick, const sc_reply *items, size_t count, sc_reason *reason)
{
    int64_t after_ms;

    if (count != 4 || !sc__int_parse(items[1].str, &after_ms))
        return SC_EPROTO;
    if (!items[2].str.len)
        return sc__because(reason, SC_ELAYOUT, "it has neither a pattern nor an interval");
    if (!copy_to(tick->read.pattern, sizeof(tick->read.pattern), items[2].str) ||
        !copy_to(tick->read.tz, sizeof(tick->read.tz), items[3].str))
        return sc__because(reason, SC_ETOOBIG, "its pattern or time zone is too long");
    if (after_ms > tick->after_ms)
        tick->after_ms = after_ms;
    return advance(tick, reason);
}

/* `*ret_waits`: another script is under way. */
static sc_err read_reply(struct tick *tick, const sc_reply *reply, bool *ret_waits,
                         sc_reason *reason)
{
    const sc_reply *items;
    int64_t code = 0;
    size_t count;
    sc_err err = sc__reply_array(reply, &items, &count, reason);

    if (err || !count)
        return err ? err : SC_EPROTO;
    err = sc__reply_int(&items[0], &code, reason);
    if (err)
        return err;
    if (code == 3)
        return sc__because(reason, SC_ESLOT, "its next times all have a job already");
    tick->has_advanced = code == 1;
    if (tick->has_advanced && tick->is_off)
        tell_skip(tick->ticker, sc_slice_of(tick->scheduler_id), SC_ELAYOUT,
                  &(sc_reason){"another program made a job for no time of its pattern, at once"});
    if (code != 2)
        return SC_OK;
    err = again(tick, items, count, reason);
    *ret_waits = !err;
    return err;
}

static void on_reply(void *user, sc_err err, const sc_reply *reply)
{
    struct tick *tick = user;
    sc_reason reason = {""};
    bool waits = false;

    if (!err)
        err = read_reply(tick, reply, &waits, &reason);
    if (waits)
        return;
    if (err)
        sc__ticker_complain(tick->ticker, sc_slice_of(tick->scheduler_id), err, &reason);
    tick->cb(tick->user, err, (sc__ticked){tick->has_advanced, !tick->has_advanced});
    tick_free(tick);
}

/* Was the job made for the moment, and for no time of its pattern? BullMQ does so when its cron library finds a next time that is past,
 * again and again. The first job may be meant so; the times of a strategy may depend on what it is asked. */
static bool is_off(struct tick *tick)
{
    const sc__scheduler_opts *read = &tick->read;
    const sc_slice id = sc_slice_of(tick->scheduler_id), pattern = sc_slice_of(read->pattern),
                   tz = sc_slice_of(read->tz);
    int64_t before_ms = tick->after_ms - 1, next_ms = 0;

    if (!pattern.len || read->count <= 1 || read->delay_ms || before_ms < 0)
        return false;
    return sc__strategy_next(&tick->ticker->strategy, id, pattern, tz, before_ms, &next_ms, NULL) ==
               SC_ESYNTAX &&
           !next_by_cron(tick->ticker, id, pattern, tz, before_ms, &next_ms, NULL) &&
           next_ms != tick->after_ms;
}

sc_err sc__ticker_tick(sc__ticker *ticker, sc_slice scheduler_id, sc_slice job_id, sc_slice opts,
                       sc__ticker_cb cb, void *user)
{
    struct tick *tick = sc__calloc(1, sizeof(*tick));
    sc_reason reason = {""};
    sc_err err;

    if (!tick)
        return SC_ENOMEM;
    tick->ticker = ticker;
    tick->cb = cb;
    tick->user = user;
    tick->scheduler_id = sc__slice_dup(scheduler_id);
    tick->job_id = sc__slice_dup(job_id);
    tick->opts = sc__slice_dup(opts);
    if (!tick->scheduler_id || !tick->job_id || !tick->opts) {
        tick_free(tick);
        return SC_ENOMEM;
    }
    sc__scheduler_opts_read(opts, &tick->read);
    tick->after_ms = sc__time_of_job(scheduler_id, job_id); /* 0: the script will refuse it */
    tick->is_off = is_off(tick);
    err = advance(tick, &reason);
    if (err) {
        sc__ticker_complain(tick->ticker, sc_slice_of(tick->scheduler_id), err, &reason);
        tick_free(tick);
    }
    return err;
}
