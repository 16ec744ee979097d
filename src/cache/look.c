#include "look.h"

#include <math.h>

#include "base/clock.h"
#include "base/rand.h"
#include "handle.h"
#include "ops/op_cache.h"
#include "redis/reply.h"
#include "tags.h"

enum { FOREIGN_MS = 1000, OPEN_AT_ONCE_MAX = 16 * 1024 };

enum life { DEAD, STALE, FRESH };

/* What lies at a key. */
struct content {
    sc_slice key, stored;
    sc__envelope envelope;
    sc_slice bytes; /* behind the envelope */
};

static enum life life_of(const sc__envelope *e, sc__tag_word word, int64_t now_ms)
{
    /* Without a grace Redis removes it in time; unless someone has put it back, as he can an encrypted one, too. */
    bool looks_at_end = e->grace_ms || e->flags & SC__ENVELOPE_SEALED;
    bool is_over = looks_at_end && e->expires_ms && now_ms >= e->expires_ms;

    if (word == SC__TAG_DELETES)
        return DEAD;
    if (word == SC__TAG_KEEPS && !is_over)
        return FRESH;
    return now_ms < e->grace_ms ? STALE : DEAD;
}

static bool has_other_schema(const sc_cache_def *def, const sc__envelope *e)
{
    return def && def->schema && e->schema != def->schema;
}

/* A value that is of no use, and may be replaced. */
static void open_unusable(sc_slice stored, sc__look *look)
{
    look->unusable_len = stored.len < SC__HEAD_MAX ? stored.len : SC__HEAD_MAX;
    memcpy(look->unusable, stored.ptr, look->unusable_len);
}

static void open_dates(const sc__envelope *e, enum life life, int64_t now_ms, sc__look *look)
{
    look->is_stale = life == STALE;
    look->stored_ms = e->stored_ms;
    look->age_ms = e->stored_ms < 0 ? -1 : now_ms > e->stored_ms ? now_ms - e->stored_ms : 0;
    look->soft_ms = e->soft_ms;
    look->ends_ms = e->soft_ms ? e->soft_ms : e->expires_ms;
    look->load_us = e->load_us;
}

/* Opens the content (`*ret_opened` as of sc__codec_open). `*ret_opens`: it may be used; else that is complained of, and it may be
 * replaced. SC_ENOMEM. */
static sc_err open_content(sc_cache *cache, const struct content *c, sc__look *look,
                           sc__blob **ret_opened, bool *ret_opens)
{
    sc_reason why;
    sc_err err =
        sc__codec_open(&cache->codec, c->key, c->stored, &c->envelope, c->bytes, ret_opened, &why);

    *ret_opens = !err;
    if (err != SC_ELAYOUT)
        return err;
    sc__health_complain(&cache->health, c->key, why.text);
    open_unusable(c->stored, look);
    return SC_OK;
}

/* A hit, if it can be decoded. `*ret_keeps_reply`: the value lies in it. SC_ENOMEM. */
static sc_err open_value(sc_cache *cache, const sc__found *found, const struct content *c,
                         sc__look *look, bool *ret_keeps_reply)
{
    const bool is_plain = found->def && found->def->plain && c->envelope.stored_ms < 0;
    sc__blob *value = NULL;
    bool opens = true;
    sc_err err = SC_OK;

    if (!is_plain) /* what a definition stores as it is, is read so, whatever secrets there are */
        err = open_content(cache, c, look, &value, &opens);
    if (!err && opens && !value) {
        value = sc__blob_of_reply(found->reply, c->bytes);
        *ret_keeps_reply = true;
        err = value ? SC_OK : SC_ENOMEM;
    }
    look->value = value;
    return err;
}

/* "There is no such thing", if it is one of ours who says so. SC_ENOMEM. */
static sc_err open_none(sc_cache *cache, const struct content *c, sc__look *look)
{
    sc__blob *opened = NULL;
    sc_err err = open_content(cache, c, look, &opened, &look->is_none);

    sc__blob_unref(opened);
    return err;
}

static bool has_tag(const sc__envelope *e, sc_slice tag)
{
    for (size_t i = 0; i < e->tag_count; i++)
        if (sc_slice_eq(e->tags[i], tag))
            return true;
    return false;
}

/* Tags that were asked for by guess, and that the value does not have, have no say in it. True: there were some. */
static bool drop_wrong_guesses(sc__found *found, const sc__envelope *e)
{
    const size_t known = found->known;
    sc__tag_keys asked;
    size_t i = found->sure;

    while (i < found->keys.count && has_tag(e, found->keys.tags[i]))
        i++;
    if (i == found->keys.count)
        return false;
    sc__tag_keys_copy(&asked, &found->keys);
    found->keys.count = found->sure;
    found->known = known < found->sure ? known : found->sure;
    for (i = found->sure; i < asked.count; i++)
        if (has_tag(e, asked.tags[i]) && !sc__tag_keys_add(&found->keys, asked.tags[i]) &&
            i < known)
            found->versions[found->known++] = found->versions[i];
    return true;
}

/* All tags that have a say, the value's own and its definition's, and what is known of them without asking. May be called again.
 * SC_ETOOBIG. */
static sc_err gather_tags(sc_cache *cache, sc__found *found, const sc__envelope *e)
{
    sc_err err = SC_OK;

    if (found->guesses && drop_wrong_guesses(found, e))
        found->is_news = true;
    for (size_t i = 0; i < e->tag_count && !err; i++)
        err = sc__tag_keys_add(&found->keys, e->tags[i]);
    found->known +=
        sc__tier_know_tags(&cache->tier, found->keys.keys + found->known,
                           found->keys.count - found->known, found->versions + found->known);
    return err;
}

/* What they say. */
static sc__tag_word ask_tags(sc_cache *cache, sc__found *found, const struct content *c)
{
    const sc__envelope *e = &c->envelope;

    if (gather_tags(cache, found, e))
        return SC__TAG_DELETES;
    if (found->guesses && (found->is_news || found->keys.count > found->known))
        sc__tag_guesses_note(&cache->tag_guesses, c->key, e->tags, e->tag_count);
    return sc__cache_tags_say(cache, &found->keys, found->versions, found->known, e->birth,
                              found->budget);
}

/* XFetch: how long before a value's end it is to be loaded anew, in ms, by chance. */
static double early_by(const sc__look *look, const sc_cache_def *def)
{
    return -log(1 - sc__rand_unit()) * def->eager * (double)look->load_us / 1000;
}

/* When a value of this process is to be read from Redis again: its soft TTL, or before that, by the chance that XFetch gives it. */
static int64_t soft_end(const sc__found *found, const sc__look *look)
{
    double early_ms = 0;

    if (!look->ends_ms)
        return INT64_MAX;
    if (found->def && found->def->eager > 0)
        early_ms = early_by(look, found->def);
    if (!early_ms && !look->soft_ms)
        return INT64_MAX;
    return early_ms < (double)look->ends_ms ? look->ends_ms - (int64_t)early_ms : 0;
}

static void hold_near(sc_cache *cache, sc_slice key, const sc__found *found, const sc__envelope *e,
                      const sc__look *look, int64_t now_ms)
{
    sc__tier_item item = {.near = {.key = key,
                                   .value = look->value ? look->value->bytes : SC_S(""),
                                   .expires_ms = e->expires_ms ? e->expires_ms : INT64_MAX,
                                   .soft_ms = soft_end(found, look),
                                   .stored_ms = e->stored_ms,
                                   .birth = (uint64_t)e->birth,
                                   .kind = (uint8_t)e->kind,
                                   .flags = sc__tier_flags(found->def)},
                          .keys = &found->keys,
                          .versions = found->versions};

    if (e->stored_ms < 0) /* only Redis knows its TTL */
        item.near.expires_ms = now_ms + FOREIGN_MS;
    sc__tier_fill(&cache->tier, found->ticket, &item);
}

static sc_err open_living(sc_cache *cache, sc__found *found, const struct content *c,
                          sc__look *look, bool *ret_keeps_reply)
{
    const sc__envelope *e = &c->envelope;
    int64_t now_ms = sc__cache_now_ms(cache);
    enum life life =
        has_other_schema(found->def, e) ? DEAD : life_of(e, ask_tags(cache, found, c), now_ms);

    sc_err err = SC_OK;

    open_dates(e, life, now_ms, look);
    if (life == DEAD)
        open_unusable(c->stored, look);
    else if (e->kind == SC__ENVELOPE_VALUE)
        err = open_value(cache, found, c, look, ret_keeps_reply);
    else
        err = open_none(cache, c, look);
    if (!err && life == FRESH && found->ticket && (look->value || look->is_none))
        hold_near(cache, c->key, found, e, look, now_ms);
    return err;
}

/* SC_ENOMEM. */
static sc_err open_failure(sc_cache *cache, const struct content *c, sc__look *look)
{
    sc__blob *opened = NULL;
    bool opens;
    sc_err err = open_content(cache, c, look, &opened, &opens);

    if (!err && opens) {
        sc__failure_read(opened ? opened->bytes : c->bytes, &look->failure);
        open_unusable(c->stored, look);
    }
    if (look->failure.is_there && sc__cache_now_ms(cache) < c->envelope.expires_ms)
        look->kept_err = look->failure.err;
    sc__blob_unref(opened);
    return err;
}

static sc_err open_stored(sc_cache *cache, sc_slice key, sc__found *found, sc_slice stored,
                          sc__look *look, bool *ret_keeps_reply)
{
    struct content c = {.key = key, .stored = stored};

    switch (sc__envelope_read(stored, &c.envelope, &c.bytes)) {
    case SC__ENVELOPE_VALUE:
    case SC__ENVELOPE_NEGATIVE:
        return open_living(cache, found, &c, look, ret_keeps_reply);
    case SC__ENVELOPE_LEASE:
        look->lease.is_there = true;
        memcpy(look->lease.bytes, stored.ptr, SC__LEASE_LEN);
        break;
    case SC__ENVELOPE_UNREADABLE:
        sc__health_complain(&cache->health, key,
                            "its envelope is damaged, or of a newer version of StoryChain");
        open_unusable(stored, look);
        break;
    case SC__ENVELOPE_ERROR:
        return open_failure(cache, &c, look);
    }
    return SC_OK;
}

sc_err sc__cache_open(sc_cache *cache, sc_slice key, sc__found *found, sc__look *look)
{
    bool keeps_reply = false;
    sc_err err = SC_OK;

    *look = (sc__look){.has_asked = true};
    if (found->stored->type == SC_REPLY_STRING)
        err = open_stored(cache, key, found, found->stored->str, look, &keeps_reply);
    if (!keeps_reply)
        sc_reply_free(found->reply);
    return err;
}

/* Which tags are asked for with the key: those that it will have, by guess; or none where all of them are known. */
static void choose_tags(sc_cache *cache, sc_slice key, sc__found *found)
{
    sc__tag_keys *keys = &found->keys;

    found->guesses = true;
    found->is_news = false;
    found->sure = keys->count;
    sc__tag_guesses_add(&cache->tag_guesses, key, keys);
    found->tag_ticket = sc__tag_memo_ticket(&cache->tier.tag_memo);
    found->known = keys->count;
    if (sc__tier_know_tags(&cache->tier, keys->keys, keys->count, found->versions) < keys->count)
        return;
    found->known = 0; /* they may change before the answer comes */
    keys->count = found->sure;
}

sc_err sc__look_begin(sc_cache *cache, const sc_cache_def *def, sc_slice key, sc__budget *budget,
                      sc__asking *asking, bool *ret_asks)
{
    sc__found *found = &asking->found;
    sc_err err;

    *ret_asks = false;
    if (sc__repair_has(&cache->repair, key) || sc__health_ask(&cache->health) ||
        !sc__budget_ask(budget))
        return SC_OK;
    err = sc__cache_tags_of(cache, def, &found->keys);
    if (err)
        return err;
    found->def = def;
    found->budget = budget;
    choose_tags(cache, key, found);
    sc__tier_ticket(&cache->tier, &asking->ticket);
    found->ticket = cache->tier.near ? &asking->ticket : NULL;
    *ret_asks = true;
    return SC_OK;
}

bool sc__look_may_open(sc_cache *cache, sc__asking *asking)
{
    sc__found *found = &asking->found;
    const sc_reply *stored = found->stored;
    sc__envelope envelope;
    sc_slice content;

    if (stored->type != SC_REPLY_STRING)
        return true;
    if (stored->str.len > OPEN_AT_ONCE_MAX || cache->codec.secret_count)
        return false;
    if (sc__envelope_read(stored->str, &envelope, &content) > SC__ENVELOPE_NEGATIVE)
        return true;
    if (envelope.raw_size > OPEN_AT_ONCE_MAX) /* compressed */
        return false;
    return !gather_tags(cache, found, &envelope) && found->known == found->keys.count;
}

sc_err sc__look_end(sc_cache *cache, sc_slice key, sc__asking *asking, sc_err err,
                    const sc_reason *reason, sc__look *ret_look)
{
    sc__budget *budget = asking->found.budget;

    *ret_look = (sc__look){0};
    sc__budget_after(cache, budget, err);
    if (err == SC_EREPLY)
        sc__health_complain(&cache->health, key, reason->text);
    if (err)
        return SC_OK;
    sc__link_heard(&cache->link, budget->asked_ms);
    sc__tier_note_tags(&cache->tier, asking->found.tag_ticket, asking->found.keys.keys,
                       asking->found.known, asking->found.versions);
    /* Deleted here while we asked, but not in Redis: then it is not the value any more. */
    if (sc__repair_has(&cache->repair, key)) {
        sc_reply_free(asking->found.reply);
        return SC_OK;
    }
    return sc__cache_open(cache, key, &asking->found, ret_look);
}

sc_err sc__cache_look(sc_cache *cache, const sc_cache_def *def, sc_slice key, sc__budget *budget,
                      sc__look *ret_look)
{
    sc__asking asking;
    sc__found *found = &asking.found;
    sc_reason reason;
    bool asks;
    sc_err err;

    if (sc__is_alone(&cache->alone))
        return sc__alone_look(cache, key, ret_look);
    *ret_look = (sc__look){0};
    err = sc__look_begin(cache, def, key, budget, &asking, &asks);
    if (err || !asks)
        return err;
    err = sc__op_cache_get(cache->client, key, sc__asking_tags(&asking), budget->left_ms,
                           &found->reply, &found->stored, found->versions, &reason);
    return sc__look_end(cache, key, &asking, err, &reason, ret_look);
}

bool sc__look_wants_renewal(const sc__look *look, const sc_cache_def *def, int64_t now_ms)
{
    if (look->is_stale || (look->soft_ms && now_ms >= look->soft_ms))
        return true;
    if (def->eager <= 0 || !look->ends_ms)
        return false;
    return early_by(look, def) >= (double)(look->ends_ms - now_ms);
}
