#include "load.h"

#include "base/clock.h"
#include "base/rand.h"
#include "handle.h"

enum { LOAD_MAX = 512 * 1024 * 1024, JITTER_MAX = 90 };

/* the definition */

sc_err sc__def_check(const sc_cache_def *def)
{
    if (!def || def->ttl_ms < 0 || def->soft_ttl_ms < 0 || def->grace_ms < 0 ||
        def->negative_ttl_ms < 0 || def->error_ttl_ms < 0 || def->soft_timeout_ms < 0 ||
        def->hard_timeout_ms < 0 || def->jitter_percent < 0 || def->jitter_percent > JITTER_MAX ||
        def->schema < 0 || !(def->eager >= 0))
        return SC_EINVAL;
    if (def->soft_ttl_ms && def->soft_ttl_ms >= def->ttl_ms)
        return SC_EINVAL;
    if (def->plain && (def->soft_ttl_ms || def->grace_ms || def->negative_ttl_ms ||
                       def->error_ttl_ms || def->tags || def->eager > 0 || def->schema))
        return SC_EINVAL;
    return SC_OK;
}

size_t sc__def_max_size(const sc_cache *cache, const sc_cache_def *def)
{
    return def->max_size && def->max_size < cache->opts.max_value_size ? def->max_size
                                                                       : cache->opts.max_value_size;
}

sc_err sc__def_keep(const sc_cache_def *def, void *user, void **ret_kept)
{
    *ret_kept = def && def->keep && user ? def->keep(user) : user;
    return user && !*ret_kept ? SC_ENOMEM : SC_OK;
}

void sc__def_drop(const sc_cache_def *def, void *kept)
{
    if (def && def->keep && def->drop && kept)
        def->drop(kept);
}

static int64_t add(int64_t a, int64_t b)
{
    return a > INT64_MAX - b ? INT64_MAX : a + b;
}

/* What jitter leaves of all times of a value, in [0, 1]. */
static double jitter(const sc_cache_def *def)
{
    return 1 - sc__rand_unit() * def->jitter_percent / 100;
}

/* The envelope of a value of this kind that is stored now. Its tags are borrowed. */
static void make_envelope(const sc_cache *cache, const sc_cache_def *def, int64_t ttl_ms,
                          const sc__tag_keys *tags, sc__envelope *ret_envelope,
                          int64_t *ret_life_ms)
{
    int64_t now_ms = sc__cache_now_ms(cache);
    double left = def->jitter_percent ? jitter(def) : 1;

    *ret_envelope = (sc__envelope){.stored_ms = now_ms, .schema = def->schema};
    *ret_life_ms = SC_TTL_FOREVER;
    if (ttl_ms != SC_TTL_FOREVER) {
        ttl_ms = left < 1 ? (int64_t)((double)ttl_ms * left) + 1 : ttl_ms;
        *ret_life_ms = add(ttl_ms, def->grace_ms);
        ret_envelope->expires_ms = add(now_ms, ttl_ms);
    }
    if (def->grace_ms)
        ret_envelope->grace_ms = add(now_ms, *ret_life_ms);
    if (def->soft_ttl_ms && def->soft_ttl_ms < ttl_ms)
        ret_envelope->soft_ms = add(now_ms, (int64_t)((double)def->soft_ttl_ms * left));
    for (size_t i = 0; i < tags->count; i++)
        ret_envelope->tags[ret_envelope->tag_count++] = tags->tags[i];
}

/* the loader's side */

static void unset(sc_cache_load *load)
{
    sc__blob_unref(load->value);
    load->value = NULL;
    load->is_none = false;
}

sc_err sc_cache_load_set(sc_cache_load *load, sc_slice bytes)
{
    sc__blob *value;

    if (bytes.len > LOAD_MAX)
        return SC_ETOOBIG;
    value = sc__blob_copy(bytes);
    if (!value)
        return SC_ENOMEM;
    unset(load);
    load->value = value;
    return SC_OK;
}

void sc_cache_load_none(sc_cache_load *load)
{
    unset(load);
    load->is_none = true;
}

void sc_cache_load_ttl(sc_cache_load *load, int64_t ttl_ms)
{
    load->ttl_ms = ttl_ms > 0 ? ttl_ms : 0;
}

sc_err sc_cache_load_tag(sc_cache_load *load, sc_slice tag)
{
    return load->tags ? sc__tag_keys_add(load->tags, tag) : SC_ESTATE;
}

bool sc_cache_load_old(const sc_cache_load *load, sc_slice *ret_bytes)
{
    if (load->old)
        *ret_bytes = load->old->bytes;
    return load->old != NULL;
}

sc_err sc_cache_load_keep(sc_cache_load *load)
{
    return load->old ? sc_cache_load_set(load, load->old->bytes) : SC_ESTATE;
}

void sc_cache_load_fail(sc_cache_load *load, sc_err err)
{
    load->err = err;
}

/* running */

void sc__load_end(sc_cache *cache, sc_cache_load *load, sc_err err, int64_t load_us)
{
    load->old = NULL;
    load->load_us = load_us;
    load->err = err ? err : load->err;
    if (load->err) {
        sc__cache_count(&cache->count.load_errors);
        unset(load);
    } else if (!load->value) {
        load->is_none = true;
    }
}

static sc_err call_loader(sc_cache_load *load, sc_slice key, void *user)
{
    sc_err err;

    if (!load->def->load)
        return load->def->load_many(&load, &key, 1, user);
    err = load->def->load(load, key, user);
    if (!err && !load->err && !load->value && !load->is_none)
        err = sc_cache_load_set(load, SC_S(""));
    return err;
}

sc_err sc__load_run(sc_cache *cache, const sc_cache_def *def, sc_slice key, void *user,
                    sc__blob *old, sc__tag_keys *tags, sc_cache_load *ret_load)
{
    int64_t began_ns;
    sc_err err;

    *ret_load = (sc_cache_load){.def = def, .old = old, .ttl_ms = -1, .tags = tags};
    err = sc__turn_take(&cache->turns, cache->opts.timeout_ms);
    if (err) {
        ret_load->was_refused = true;
        sc__load_end(cache, ret_load, err, 0);
        return err;
    }
    began_ns = sc__mono_ns();
    sc__cache_count(&cache->count.loads);
    err = call_loader(ret_load, key, user);
    sc__turn_give(&cache->turns);
    sc__load_end(cache, ret_load, err, (sc__mono_ns() - began_ns) / 1000 + 1);
    sc__load_times_add(&cache->load_times, ret_load->load_us);
    return ret_load->err;
}

static int64_t ttl_of(const sc_cache_load *load)
{
    if (load->ttl_ms >= 0)
        return load->ttl_ms;
    return load->is_none ? load->def->negative_ttl_ms : load->def->ttl_ms;
}

sc_err sc__load_envelope(sc_cache *cache, const sc_cache_load *load, int64_t birth,
                         sc__envelope *ret_envelope, int64_t *ret_life_ms)
{
    int64_t ttl_ms = ttl_of(load);

    if (ttl_ms <= 0 || (load->is_none && load->def->plain) ||
        (load->value && load->value->bytes.len > sc__def_max_size(cache, load->def)))
        return SC_ESTATE;
    make_envelope(cache, load->def, ttl_ms, load->tags, ret_envelope, ret_life_ms);
    ret_envelope->birth = birth;
    ret_envelope->load_us = load->load_us;
    if (load->is_none) { /* nobody is served a stale "there is no such thing" */
        ret_envelope->kind = SC__ENVELOPE_NEGATIVE;
        ret_envelope->soft_ms = ret_envelope->grace_ms = 0;
        *ret_life_ms = ttl_ms;
    }
    return SC_OK;
}

sc_err sc__load_seal(sc_cache *cache, const sc_cache_load *load, sc_slice key, int64_t birth,
                     sc__sealed *ret_sealed)
{
    sc__envelope envelope;
    sc_err err = sc__load_envelope(cache, load, birth, &envelope, &ret_sealed->life_ms);

    if (err)
        return err;
    if (load->is_none)
        return sc__codec_mark(&cache->codec, key, &envelope, SC_S(""), ret_sealed->room,
                              &ret_sealed->bytes);
    if (!load->def->plain)
        return sc__codec_seal(&cache->codec, key, &envelope, load->value, &ret_sealed->bytes);
    ret_sealed->bytes = load->value->bytes;
    return SC_OK;
}
