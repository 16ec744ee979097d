/* Calls that don't wait.
 *
 *     held here                -> the callback, on the I/O thread
 *     ask Redis -> hit         -> the callback, where the answer came
 *               -> all others  -> a thread of the cache's own: opens what takes long, loads, waits; then the callback
 *
 * What can't be asked for goes there at once, and so does all where Redis is far (budget.h). */
#include "async.h"

#include "base/clock.h"
#include "base/mem.h"
#include "get_or_set.h"
#include "handle.h"
#include "load.h"
#include "ops/op_cache.h"
#include "redis/reply.h"

void sc__async_init(sc__async *async)
{
    atomic_init(&async->count, 1);
    sc__waiter_init(&async->none_left);
}

static void leave(sc__async *async)
{
    if (atomic_fetch_sub(&async->count, 1) == 1)
        sc__waiter_wake(&async->none_left);
}

void sc__async_end(sc__async *async)
{
    leave(async);
    sc__waiter_wait(&async->none_left);
    sc__waiter_release(&async->none_left);
}

struct call {
    sc__work work; /* first: work of the pool is turned into its call */
    sc__task task;
    sc_cache *cache;
    const sc_cache_def *def; /* NULL: a get */
    void *loader_user;
    sc_cache_cb cb;
    void *user;
    sc_err err;
    sc_cache_value value;

    sc__looked looked;
    sc__asking asking;
    sc_reason reason;
    sc_slice key, stored_key;
    char room[SC__STORED_KEY_LEN];
    char text[]; /* the key */
};

/* the end */

static void call_back(struct call *c)
{
    c->cb(c->user, c->err, &c->value);
    sc_cache_value_release(&c->value);
    sc_free(c);
}

static void call_back_on_loop(sc__task *task)
{
    call_back((struct call *)((char *)task - offsetof(struct call, task)));
}

static void post(struct call *c)
{
    c->task = (sc__task){.run = call_back_on_loop};
    sc__loop_post(sc__cache_loop(c->cache), &c->task);
}

/* The loader's data; before a value is given it is needed no more. */
static void drop_user(struct call *c)
{
    sc__def_drop(c->def, c->loader_user);
    c->loader_user = NULL;
}

static void fail(struct call *c, sc_err err)
{
    c->err = err;
    drop_user(c);
    post(c);
}

/* on a thread of the cache's own */

static void run_whole(sc__work *work)
{
    struct call *c = (struct call *)work;

    c->err = c->def ? sc_cache_fetch(c->cache, c->def, c->key, c->loader_user, &c->value)
                    : sc_cache_get(c->cache, c->key, &c->value);
    drop_user(c);
    post(c);
}

static void run_on(sc__work *work)
{
    struct call *c = (struct call *)work;

    if (c->def)
        c->err =
            sc__cache_fetch_on(c->cache, c->def, c->key, c->loader_user, &c->looked, &c->value);
    else
        sc__cache_give_fresh(c->cache, &c->looked.look, &c->value);
    drop_user(c);
    post(c);
}

static void run_open(sc__work *work)
{
    struct call *c = (struct call *)work;

    c->err = sc__look_end(c->cache, c->stored_key, &c->asking, c->err, &c->reason, &c->looked.look);
    if (!c->err) {
        run_on(work);
        return;
    }
    drop_user(c);
    post(c);
}

static void submit(struct call *c, void (*run)(sc__work *work))
{
    c->work.run = run;
    sc__pool_submit(c->cache->callers, &c->work);
}

/* where the answer comes */

/* Whether what was looked up is all that the caller gets, and nothing is to be done behind. */
static bool is_all(const struct call *c)
{
    const sc__look *look = &c->looked.look;

    if (c->err || !c->def)
        return true;
    return look->is_none ||
           (look->value && !sc__look_wants_renewal(look, c->def, sc__cache_now_ms(c->cache)));
}

static void give(struct call *c)
{
    if (!c->err)
        sc__cache_give_fresh(c->cache, &c->looked.look, &c->value);
    drop_user(c);
    call_back(c);
}

static void take_answer(struct call *c, const sc_reply *reply)
{
    sc__found *found = &c->asking.found;

    c->err = sc__reply_check(reply, &c->reason);
    if (c->err)
        return;
    found->reply = sc__reply_dup(reply);
    c->err = found->reply ? sc__op_cache_got(found->reply, found->known, &found->stored,
                                             found->versions, &c->reason)
                          : SC_ENOMEM;
    if (c->err)
        sc_reply_free(found->reply);
}

static void on_answer(void *user, sc_err err, const sc_reply *reply)
{
    struct call *c = user;
    sc__async *async = &c->cache->async;

    c->err = err;
    if (!err)
        take_answer(c, reply);
    if (!c->err && !sc__look_may_open(c->cache, &c->asking)) {
        submit(c, run_open);
        leave(async);
        return;
    }
    c->err = sc__look_end(c->cache, c->stored_key, &c->asking, c->err, &c->reason, &c->looked.look);
    if (is_all(c))
        give(c);
    else
        submit(c, run_on);
    leave(async);
}

/* the beginning */

/* NULL without memory. */
static struct call *new_call(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                             void *loader_user)
{
    struct call *c = sc__malloc(sizeof(*c) + key.len); /* it is large, and little of it is used */

    if (!c)
        return NULL;
    if (sc__def_keep(def, loader_user, &c->loader_user)) {
        sc_free(c);
        return NULL;
    }
    c->cache = cache;
    c->def = def;
    c->err = SC_OK;
    c->value = (sc_cache_value){.source = SC_CACHE_MISS};
    memcpy(c->text, key.ptr, key.len);
    c->key = (sc_slice){c->text, key.len};
    c->stored_key = sc__cache_key(cache, c->key, c->room);
    return c;
}

/* False: it can't be asked for. SC_EINVAL, SC_ETOOBIG for the definition's tags. */
static sc_err ask(struct call *c, bool *ret_asks)
{
    sc_cache *cache = c->cache;
    sc__budget *budget = &c->looked.budget;
    sc_err err;

    *ret_asks = false;
    if (sc__is_alone(&cache->alone) || (c->def && sc__cache_is_far(cache)) ||
        c->key.len > cache->opts.max_key_size)
        return SC_OK;
    c->looked.began_ns = sc__mono_ns();
    c->looked.patience = c->def ? sc__patience_of(c->def) : (sc__patience){0, INT64_MAX};
    *budget = sc__budget_begin(cache);
    err = sc__look_begin(cache, c->def, c->stored_key, budget, &c->asking, ret_asks);
    if (err || !*ret_asks)
        return err;
    atomic_fetch_add(&cache->async.count, 1);
    *ret_asks = sc__op_cache_get_async(cache->client, c->stored_key, sc__asking_tags(&c->asking),
                                       budget->left_ms, on_answer, c) == SC_OK;
    if (!*ret_asks)
        leave(&cache->async);
    return SC_OK;
}

static sc_err start(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *loader_user,
                    sc_cache_cb cb, void *user)
{
    struct call *c = new_call(cache, def, key, loader_user);
    bool asks;
    sc_err err;

    if (!c)
        return SC_ENOMEM;
    c->cb = cb;
    c->user = user;
    if (sc__tier_give_at_once(cache, def, c->stored_key, &c->value)) {
        drop_user(c);
        post(c);
        return SC_OK;
    }
    err = ask(c, &asks);
    if (err)
        fail(c, err);
    else if (!asks)
        submit(c, run_whole);
    return SC_OK; /* when it asks, it may be over by now */
}

sc_err sc_cache_get_async(sc_cache *cache, sc_slice key, sc_cache_cb cb, void *user)
{
    if (!key.len)
        return SC_EINVAL;
    return key.len > cache->opts.max_key_size ? SC_ETOOBIG
                                              : start(cache, NULL, key, NULL, cb, user);
}

sc_err sc_cache_fetch_async(sc_cache *cache, const sc_cache_def *def, sc_slice key,
                            void *loader_user, sc_cache_cb cb, void *user)
{
    if (!key.len || sc__def_check(def) || (!def->load && !def->load_many))
        return SC_EINVAL;
    return start(cache, def, key, loader_user, cb, user);
}
