/* cache/near.c beside a plain table: whatever is done at random, both say the same */
#include "cache/near.h"
#include "support/test.h"

enum { KEYS = 200, TAGS = 5, VALUE_MAX = 300, STEPS = 200000, LONG_KEY = 1 << 20 };

/* What is known of a key. */
struct model_value {
    bool is_there;
    uint64_t version; /* a value's bytes and length come from it */
    int64_t expires_ms, soft_ms;
    uint64_t birth;
    unsigned tags; /* bits */
};

struct model {
    sc__near *near;
    bool may_evict; /* then a miss is as good as a hit */
    uint64_t random, version;
    int64_t now_ms;
    uint64_t tag_deleted[TAGS], tag_expired[TAGS];
    struct model_value values[KEYS];
    size_t hits;
};

static char *long_key;

static unsigned below(struct model *m, unsigned bound)
{
    m->random = m->random * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(m->random >> 33) % bound;
}

/* Three of them are as short and as long as keys get. */
static sc_slice key_of(unsigned number, char room[16])
{
    if (number == 100)
        return SC_S("");
    if (number == 101)
        return SC_S("k");
    if (number == KEYS - 2)
        return (sc_slice){long_key, LONG_KEY};
    return (sc_slice){room, (size_t)snprintf(room, 16, "key:%u", number)};
}

static sc_slice value_of(uint64_t version, char room[VALUE_MAX])
{
    const size_t len = version * 7919 % VALUE_MAX;

    for (size_t i = 0; i < len; i++)
        room[i] = (char)(version + i * 31);
    return (sc_slice){room, len};
}

static sc_slice tag_of(unsigned number)
{
    static const char *const names[TAGS] = {"a", "b", "user:1", "user:2", ""};

    return sc_slice_of(names[number]);
}

static enum sc__near_state expected(const struct model *m, const struct model_value *v)
{
    enum sc__near_state state = v->soft_ms <= m->now_ms ? SC__NEAR_STALE : SC__NEAR_FRESH;

    if (!v->is_there || v->expires_ms <= m->now_ms)
        return SC__NEAR_MISS;
    for (unsigned i = 0; i < TAGS; i++) {
        if (v->tags >> i & 1 && m->tag_deleted[i] > v->birth)
            return SC__NEAR_MISS;
        if (v->tags >> i & 1 && m->tag_expired[i] > v->birth)
            state = SC__NEAR_STALE;
    }
    return state;
}

static void check(struct model *m, unsigned number)
{
    const struct model_value *v = &m->values[number];
    const enum sc__near_state should = expected(m, v);
    char room[16], bytes[VALUE_MAX];
    sc_slice key = key_of(number, room);
    sc__near_section section = sc__near_enter(m->near);
    const sc__near_entry *entry;
    sc__near_state state = sc__near_find(m->near, key, m->now_ms, &entry);

    if (state != SC__NEAR_MISS || !m->may_evict)
        assert_int_equal(state, should);
    if (state != SC__NEAR_MISS) {
        assert_true(sc_slice_eq(sc__near_key(entry), key));
        assert_true(sc_slice_eq(sc__near_value(entry), value_of(v->version, bytes)));
        m->hits++;
    }
    sc__near_leave(&section, state != SC__NEAR_MISS);
}

static int64_t some_time(struct model *m)
{
    static const int64_t ttls[] = {0, 1, 255, 256, 5000, 70000, 5000000, 4294967296};
    const unsigned which = below(m, sizeof(ttls) / sizeof(ttls[0]) + 1);

    return which < sizeof(ttls) / sizeof(ttls[0]) ? m->now_ms + ttls[which] : INT64_MAX;
}

static size_t name_tags(unsigned bits, sc_slice tags[TAGS])
{
    size_t count = 0;

    for (unsigned i = 0; i < TAGS; i++)
        if (bits >> i & 1)
            tags[count++] = tag_of(i);
    return count;
}

/* At times one whose load began long ago. */
static void put(struct model *m, unsigned number)
{
    struct model_value *v = &m->values[number];
    char room[16], bytes[VALUE_MAX];
    sc_slice tags[TAGS];
    sc__near_item item;
    bool is_refused = false;
    sc_err err;

    *v = (struct model_value){.is_there = true,
                              .version = ++m->version,
                              .expires_ms = some_time(m),
                              .soft_ms = some_time(m),
                              .birth = below(m, 20) ? sc__near_clock(m->near) : 1,
                              .tags = below(m, 3) ? 0 : below(m, 1u << TAGS)};
    item = (sc__near_item){.key = key_of(number, room),
                           .value = value_of(v->version, bytes),
                           .expires_ms = v->expires_ms,
                           .soft_ms = v->soft_ms,
                           .birth = v->birth,
                           .tags = tags,
                           .tag_count = name_tags(v->tags, tags),
                           .load_us = (int64_t)below(m, 5) * below(m, 100000)};
    err = sc__near_put(m->near, &item);
    for (unsigned i = 0; i < TAGS; i++)
        is_refused |= v->tags >> i & 1 && m->tag_deleted[i] > v->birth;
    if (is_refused)
        assert_err(err, SC_ESTATE);
    /* A tag that went with its last value has left its versions to all: then an old load is refused, too. */
    else if (err != SC_ESTATE || v->birth == sc__near_clock(m->near))
        assert_ok(err);
    v->is_there = !err;
}

static void bump(struct model *m, unsigned tag)
{
    const bool deletes = below(m, 2);

    sc__near_tag_bump(m->near, tag_of(tag), deletes ? SC__NEAR_DELETED : SC__NEAR_EXPIRED);
    (deletes ? m->tag_deleted : m->tag_expired)[tag] = sc__near_clock(m->near);
}

static void del(struct model *m, unsigned number)
{
    char room[16];
    bool was_there = sc__near_del(m->near, key_of(number, room));

    assert_true(!was_there || m->values[number].is_there);
    m->values[number].is_there = false;
}

static void clear(struct model *m)
{
    sc__near_clear(m->near);
    for (unsigned i = 0; i < KEYS; i++)
        m->values[i].is_there = false;
}

static void step(struct model *m)
{
    const unsigned what = below(m, 1000);
    const unsigned number = below(m, KEYS) * below(m, KEYS) / KEYS;

    if (what < 600)
        check(m, number);
    else if (what < 900)
        put(m, number);
    else if (what < 950)
        del(m, number);
    else if (what < 970)
        bump(m, below(m, TAGS));
    else if (what < 990)
        m->now_ms += below(m, 5) ? below(m, 300) : below(m, 100000);
    else if (what < 999)
        (void)sc__near_sweep(m->near, m->now_ms);
    else
        clear(m);
}

static void play(size_t bytes, size_t entries, int64_t began_ms, uint64_t random)
{
    static struct model m;
    sc__near_stats stats;

    m = (struct model){.random = random, .now_ms = began_ms, .may_evict = bytes || entries < KEYS};
    assert_ok(sc__near_new(&(sc__near_opts){bytes, entries, true, began_ms}, &m.near));
    for (int i = 0; i < STEPS; i++) {
        step(&m);
        if (i % 64)
            continue;
        sc__near_stats_get(m.near, &stats);
        assert_true(!entries || stats.entries <= entries);
        assert_true(!bytes || stats.bytes <= bytes);
    }
    assert_true(m.hits > 100);
    clear(&m);
    while (sc__near_sweep(m.near, m.now_ms))
        ;
    sc__near_stats_get(m.near, &stats);
    assert_int_equal(stats.entries, 0);
    sc__near_free(m.near);
}

static void make_long_key(void)
{
    long_key = malloc(LONG_KEY);
    assert_non_null(long_key);
    memset(long_key, 'x', LONG_KEY);
}

TEST_LIMIT(with_room_for_all_a_cache_is_a_table, 120)
{
    make_long_key();

    play(0, KEYS, 0, 1);
    play(0, KEYS, 1000000, 2);

    free(long_key);
}

TEST_LIMIT(without_room_it_is_the_same_with_misses, 120)
{
    static const size_t entries[] = {1, 2, 3, 10, 50, KEYS - 1};

    make_long_key();
    for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++)
        play(0, entries[i], 1000000, 10 + i);
    play(4 << 20, 0, 1000000, 20);
    play(1100000, 20, 1000000, 21);

    free(long_key);
}

TEST_LIMIT(whatever_time_it_is, 120)
{
    static const int64_t times[] = {INT32_MAX - INT64_C(1000), UINT32_MAX - INT64_C(1000),
                                    INT64_C(4398046511104) - 1000, INT64_C(1) << 61};

    make_long_key();
    for (size_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
        play(0, KEYS, times[i], 30 + i);

    free(long_key);
}
