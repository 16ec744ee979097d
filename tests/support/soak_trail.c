/* What a soak's events say became of its jobs. */
#include "soak_trail.h"

#include "test.h"

enum { PAGE = 1000 };

static bool is_wrong(struct soak_trail *t, sc_slice id, const char *what, sc_slice event)
{
    snprintf(t->problem, sizeof(t->problem), "job %.*s %s at event %.*s", (int)id.len, id.ptr, what,
             (int)event.len, event.ptr);
    return false;
}

/* The number of a job of a kind; false for another. */
static bool read_number(const struct soak *s, sc_slice id, unsigned *ret_number)
{
    char text[32];
    const char *dash = id.len ? memchr(id.ptr, '-', id.len) : NULL;
    unsigned number = dash ? (unsigned)strtoul(dash + 1, NULL, 10) : SOAK_JOBS_MAX;

    if (number >= SOAK_JOBS_MAX)
        return false;
    snprintf(text, sizeof(text), "%s-%u", soak_kind_name((soak_kind)s->kinds[number]), number);
    *ret_number = number;
    return sc_slice_eq(id, sc_slice_of(text));
}

static sc_slice field(const sc_reply *fields, const char *name)
{
    for (size_t i = 0; i + 1 < fields->count; i += 2)
        if (sc_slice_eq(fields->items[i].str, sc_slice_of(name)))
            return fields->items[i + 1].str;
    return (sc_slice){NULL, 0};
}

static void count_run(struct soak_trail *t, sc_slice id)
{
    static const char *const names[] = {
        "repeat:plain-0:", "repeat:plain-1:", "repeat:guarded-0:", "repeat:guarded-1:"};

    for (int i = 0; i < SOAK_SCHEDULES; i++)
        if (id.len > strlen(names[i]) && memcmp(id.ptr, names[i], strlen(names[i])) == 0)
            t->made[i]++;
}

static bool may_return(soak_kind kind)
{
    return kind == SOAK_RETRIED || kind == SOAK_FAILING || kind == SOAK_PUT_OFF ||
           kind == SOAK_LONG || kind == SOAK_SPAWNING || kind >= SOAK_HOLD;
}

/* A job takes its way step by step, and ends once. */
static bool follow(struct soak_trail *t, const sc_reply *fields)
{
    sc_slice event = field(fields, "event"), id = field(fields, "jobId");
    sc_slice prev = field(fields, "prev");
    unsigned number;
    unsigned char *state;
    soak_kind kind;

#define IS(text) sc_slice_eq(event, SC_S(text))
    if (IS("added"))
        count_run(t, id);
    if (!read_number(t->s, id, &number))
        return true;
    kind = (soak_kind)t->s->kinds[number];
    state = &t->jobs[number].state;
    if (IS("added")) {
        if (*state != SOAK_NOWHERE)
            return is_wrong(t, id, "was there before", event);
        *state = SOAK_WAITING;
    } else if (IS("waiting") || IS("delayed") || IS("waiting-children")) {
        if (*state == SOAK_NOWHERE || *state == SOAK_ENDED ||
            (sc_slice_eq(prev, SC_S("active")) && *state != SOAK_ACTIVE))
            return is_wrong(t, id, "was not in hand", event);
        if (IS("waiting") && sc_slice_eq(prev, SC_S("active")))
            t->unasked += !may_return(kind);
        *state = IS("waiting") ? SOAK_WAITING : SOAK_PUT_BY;
    } else if (IS("stalled")) {
        t->unasked -= !may_return(kind);
    } else if (IS("active")) {
        if (*state != SOAK_WAITING)
            return is_wrong(t, id, "did not wait", event);
        *state = SOAK_ACTIVE;
        t->jobs[number].starts += t->jobs[number].starts < 255;
    } else if (IS("completed") || IS("failed")) {
        if (*state != SOAK_ACTIVE && (kind != SOAK_CANCELLED || *state != SOAK_WAITING))
            return is_wrong(t, id, "was not in hand", event);
        *state = SOAK_ENDED;
        t->jobs[number].completed = IS("completed");
    }
    return true;
#undef IS
}

static bool is_end(const sc_reply *fields)
{
    sc_slice event = field(fields, "event");

    return sc_slice_eq(event, SC_S("completed")) || sc_slice_eq(event, SC_S("failed"));
}

static void look_at(struct soak_trail *t, int queue, const sc_reply *entry, bool *ret_ok)
{
    *ret_ok = follow(t, &entry->items[1]);
    t->ended += queue == SOAK_JOBS && is_end(&entry->items[1]);
    snprintf(t->last[queue], sizeof(t->last[queue]), "%.*s", (int)entry->items[0].str.len,
             entry->items[0].str.ptr);
}

bool soak_trail_follow(struct soak_trail *t, sc_client *client, int queue)
{
    char key[64], after[64];
    bool ok = true;
    size_t count;

    snprintf(key, sizeof(key), "bull:%s:events", soak_queues[queue]);
    do {
        sc_reply *reply;

        snprintf(after, sizeof(after), "(%s", t->last[queue]);
        assert_ok(
            sc_client_call(client,
                           (const sc_slice[]){SC_S("XRANGE"), sc_slice_of(key), sc_slice_of(after),
                                              SC_S("+"), SC_S("COUNT"), SC_S("1000")},
                           6, &reply));
        count = reply->count;
        for (size_t i = 0; i < count && ok; i++)
            look_at(t, queue, &reply->items[i], &ok);
        sc_reply_free(reply);
    } while (count == PAGE && ok);
    return ok;
}

void soak_trail_init(struct soak_trail *t, const struct soak *s)
{
    *t = (struct soak_trail){.s = s, .jobs = calloc(SOAK_JOBS_MAX, sizeof(*t->jobs))};
    for (int i = 0; i < SOAK_QUEUES; i++)
        strcpy(t->last[i], "0");
}

void soak_trail_release(struct soak_trail *t)
{
    free(t->jobs);
}
