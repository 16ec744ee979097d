#include "near_inside.h"

#include "base/mem.h"
#include "base/rand.h"

enum {
    BYTES_A_BUCKET = 256, /* a small value and what it takes of the tables */
    BUCKETS_MIN = 8,
    BUCKETS_MAX = 1 << 24,
    TURNS_MAX = 1 << 20
};

/* its tables */

static size_t bucket_count_for(const sc__near *near)
{
    size_t count = near->max_bytes / BYTES_A_BUCKET;

    if (near->max_entries < count)
        count = near->max_entries;
    if (count > BUCKETS_MAX)
        return BUCKETS_MAX;
    return count < BUCKETS_MIN ? BUCKETS_MIN : count;
}

static size_t fixed_held(const sc__near *near)
{
    return sc__mem_held(sizeof(*near) + alignof(sc__near)) +
           sc__mem_held(near->bucket_count * sizeof(near->buckets[0])) +
           sc__near_readers_held(&near->readers) + sc__near_pins_held(near->pins) +
           sc__near_ghosts_held(&near->ghosts) + sc__near_tags_held(&near->tags);
}

static sc_err init(sc__near *near, const sc__near_opts *opts)
{
    sc_err err;

    near->max_bytes = opts->max_bytes ? opts->max_bytes : SIZE_MAX;
    if (near->max_bytes < SC__NEAR_BYTES_MIN)
        near->max_bytes = SC__NEAR_BYTES_MIN;
    near->max_entries = opts->max_entries ? opts->max_entries : SIZE_MAX;
    near->bucket_count = bucket_count_for(near);
    near->seed = sc__rand_u64();
    atomic_init(&near->tag_changes, 1);
    sc__near_wheel_init(&near->wheel, opts->now_ms);
    near->buckets = sc__calloc(near->bucket_count, sizeof(near->buckets[0]));
    if (!near->buckets)
        return SC_ENOMEM;
    err = sc__near_readers_init(&near->readers);
    if (!err)
        err = sc__near_pins_new(near->readers.count, &near->pins);
    if (!err)
        err = sc__near_ghosts_init(&near->ghosts, near->bucket_count);
    if (!err)
        err = sc__near_tags_init(&near->tags, near->bucket_count / 2 + 1, opts->keeps_tags);
    near->fixed_bytes = fixed_held(near);
    return err;
}

sc_err sc__near_new(const sc__near_opts *opts, sc__near **ret_near)
{
    void *memory;
    sc__near *near;
    sc_err err;

    if (!opts->max_bytes && !opts->max_entries)
        return SC_EINVAL;
    memory = sc__calloc(1, sizeof(*near) + alignof(sc__near));
    if (!memory)
        return SC_ENOMEM;
    near = (sc__near *)(((uintptr_t)memory + alignof(sc__near) - 1) & ~(alignof(sc__near) - 1));
    near->memory = memory;
    pthread_mutex_init(&near->mutex, NULL);
    err = init(near, opts);
    if (err) {
        sc__near_free(near);
        return err;
    }
    *ret_near = near;
    return SC_OK;
}

/* tags */

void sc__near_tag_set(sc__near *near, sc_slice name, uint64_t deleted, uint64_t expired)
{
    sc__near_tag *tag;

    pthread_mutex_lock(&near->mutex);
    tag = sc__near_tags_find(&near->tags, name, sc__near_hash(near, name));
    /* Without need nobody is made to look at his tags again. */
    if (tag && (tag->era != atomic_load(&near->era) || atomic_load(&tag->deleted) != deleted ||
                atomic_load(&tag->expired) != expired)) {
        tag->era = atomic_load(&near->era);
        /* In this order: who sees it known sees when it was expired. */
        atomic_store(&tag->expired, expired);
        atomic_store(&tag->deleted, deleted);
        atomic_fetch_add(&near->tag_changes, 1);
    }
    pthread_mutex_unlock(&near->mutex);
}

void sc__near_tag_unknown(sc__near *near, sc_slice name)
{
    sc__near_tag_set(near, name, SC__NEAR_UNKNOWN_VERSION, 0);
}

uint64_t sc__near_clock(const sc__near *near)
{
    return atomic_load(&near->tags.clock);
}

void sc__near_tag_get(sc__near *near, sc_slice name, uint64_t *ret_deleted, uint64_t *ret_expired)
{
    const sc__near_tag *tag;

    pthread_mutex_lock(&near->mutex);
    tag = sc__near_tags_find(&near->tags, name, sc__near_hash(near, name));
    *ret_deleted = tag ? atomic_load(&tag->deleted) : near->tags.floor;
    *ret_expired = tag ? atomic_load(&tag->expired) : near->tags.floor;
    pthread_mutex_unlock(&near->mutex);
}

void sc__near_tag_bump(sc__near *near, sc_slice name, sc__near_bump what)
{
    sc__near_tag *tag;
    uint64_t now;

    pthread_mutex_lock(&near->mutex);
    now = atomic_fetch_add(&near->tags.clock, 1) + 1;
    tag = sc__near_tags_find(&near->tags, name, sc__near_hash(near, name));
    if (tag)
        atomic_store(what == SC__NEAR_DELETED ? &tag->deleted : &tag->expired, now);
    else
        near->tags.floor = now;
    atomic_fetch_add(&near->tag_changes, 1);
    pthread_mutex_unlock(&near->mutex);
}

/* in time */

/* One slice, under the mutex. True: there's more to do now. */
static bool sweep_slice(sc__near *near, int64_t now_ms)
{
    sc__near_entry *expired;

    for (int i = 0; i < SC__NEAR_SLICE; i++) {
        if (!sc__near_wheel_step(&near->wheel, now_ms, &expired))
            return sc__near_queues_drop_cleared(near, SC__NEAR_SLICE);
        if (expired) {
            near->expired += !sc__near_is_cleared(near, expired);
            sc__near_remove(near, expired);
        }
    }
    return true;
}

bool sc__near_sweep(sc__near *near, int64_t now_ms)
{
    bool more, has_plans;
    int turns = 0;

    do {
        pthread_mutex_lock(&near->mutex);
        more = sweep_slice(near, now_ms);
        has_plans =
            more || near->wheel.count || near->limbo.waiting.first || near->limbo.fresh.first;
        if (sc__near_unlock(near))
            more = has_plans = true;
    } while (more && ++turns < TURNS_MAX);
    return has_plans;
}

void sc__near_stats_get(sc__near *near, sc__near_stats *ret_stats)
{
    sc__near_readers_count(&near->readers, &ret_stats->hits, &ret_stats->misses);
    pthread_mutex_lock(&near->mutex);
    ret_stats->evicted = near->evicted;
    ret_stats->expired = near->expired;
    ret_stats->entries = sc__near_queues_count(&near->queues);
    ret_stats->bytes =
        near->fixed_bytes + near->bytes + near->tags.bytes + sc__near_limbo_bytes(&near->limbo);
    pthread_mutex_unlock(&near->mutex);
}

void sc__near_free(sc__near *near)
{
    if (!near)
        return;
    sc__near_pins_leave(near->pins);
    sc__near_free_list(near->queues.small.newest);
    sc__near_free_list(near->queues.main.newest);
    sc__near_free_list(near->limbo.fresh.first);
    sc__near_free_list(near->limbo.waiting.first);
    sc__near_free_list(near->limbo.gone.first);
    sc__near_tags_release(&near->tags);
    sc__near_ghosts_release(&near->ghosts);
    sc__near_readers_release(&near->readers);
    sc_free((void *)near->buckets);
    pthread_mutex_destroy(&near->mutex);
    sc_free(near->memory);
}
