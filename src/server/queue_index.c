#include "queue_index.h"

#include <pthread.h>

#include "app/app.h"
#include "app/queues.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/mem.h"

enum { QUEUES_MAX = 1000, LOOK_EVERY_MS = 1000, REST_FACTOR = 50, LOOKS = 3 };

struct entry {
    sc_queue *queue;
    bool owned;  /* else StoryChain's */
    bool hidden; /* gone from the server */
};

struct queue_index {
    struct app *app;
    pthread_mutex_t lock;
    bool looking;
    int64_t look_ms;        /* mono: not before that */
    int64_t took_ms[LOOKS]; /* the last ones */
    size_t next_look;
    struct entry *entries;
    size_t count;
};

sc_err queue_index_new(struct app *app, struct queue_index **ret_index)
{
    struct queue_index *index = sc__calloc(1, sizeof(*index));
    struct entry *entries = sc__calloc(QUEUES_MAX, sizeof(*entries));

    if (!index || !entries) {
        sc_free(index);
        sc_free(entries);
        return SC_ENOMEM;
    }
    index->app = app;
    index->entries = entries;
    pthread_mutex_init(&index->lock, NULL);
    for (int id = 0; app && id < QUEUE_COUNT; id++)
        entries[index->count++].queue = queues_get(app->queues, (enum queue_id)id);
    *ret_index = index;
    return SC_OK;
}

void queue_index_free(struct queue_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < index->count; i++)
        if (index->entries[i].owned)
            sc_queue_free(index->entries[i].queue);
    pthread_mutex_destroy(&index->lock);
    sc_free(index->entries);
    sc_free(index);
}

static struct entry *find(struct queue_index *index, sc_slice name)
{
    for (size_t i = 0; i < index->count; i++)
        if (sc_slice_eq(sc_queue_name(index->entries[i].queue), name))
            return &index->entries[i];
    return NULL;
}

/* Takes note of a queue that exists; one whose name our handles refuse is left out. */
static void note(struct queue_index *index, sc_slice name)
{
    sc_queue_opts opts = {.prefix = sc_slice_of(index->app->opts.queue_prefix), .skip_meta = true};
    struct entry *entry = find(index, name);

    if (!entry && index->count < QUEUES_MAX) {
        entry = &index->entries[index->count];
        if (sc_queue_new(index->app->client, name, &opts, &entry->queue, NULL))
            return;
        entry->owned = true;
        index->count++;
    }
    if (entry)
        entry->hidden = false;
}

static void note_all(struct queue_index *index, const sc_id_list *names)
{
    pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->count; i++)
        index->entries[i].hidden = index->entries[i].owned;
    for (size_t i = 0; i < names->count; i++)
        note(index, names->ids[i]);
    pthread_mutex_unlock(&index->lock);
}

/* Whether it is this caller's turn to look. */
static bool claim(struct queue_index *index)
{
    bool mine;

    pthread_mutex_lock(&index->lock);
    mine = !index->looking && sc__mono_ms() >= index->look_ms;
    index->looking = index->looking || mine;
    pthread_mutex_unlock(&index->lock);
    return mine;
}

/* Of the last looks. One that was slow by itself is no measure of the keys: the machine stood still. */
static int64_t quickest(struct queue_index *index, int64_t took_ms)
{
    index->took_ms[index->next_look++ % LOOKS] = took_ms;
    for (size_t i = 0; i < LOOKS; i++)
        if (index->took_ms[i] < took_ms)
            took_ms = index->took_ms[i];
    return took_ms;
}

static void rest(struct queue_index *index, int64_t took_ms)
{
    int64_t rest_ms;

    pthread_mutex_lock(&index->lock);
    rest_ms = quickest(index, took_ms) * REST_FACTOR;
    index->looking = false;
    index->look_ms = sc__mono_ms() + (rest_ms > LOOK_EVERY_MS ? rest_ms : LOOK_EVERY_MS);
    pthread_mutex_unlock(&index->lock);
}

static void look(struct queue_index *index)
{
    sc_id_list *names = NULL;
    int64_t began = sc__mono_ms();

    if (!sc_client_is_connected(index->app->client) || !claim(index))
        return;
    if (!sc_queue_discover(index->app->client, sc_slice_of(index->app->opts.queue_prefix),
                           &names)) {
        note_all(index, names);
        sc_id_list_free(names);
    }
    rest(index, sc__mono_ms() - began);
}

sc_err queue_index_list(struct queue_index *index, sc__arena *arena, struct queue_list *ret_list)
{
    struct queue_list list = {sc__arena_alloc(arena, QUEUES_MAX * sizeof(*list.items)), 0};

    if (!list.items)
        return SC_ENOMEM;
    look(index);
    pthread_mutex_lock(&index->lock);
    for (size_t i = 0; i < index->count; i++)
        if (!index->entries[i].hidden)
            list.items[list.count++] = index->entries[i].queue;
    pthread_mutex_unlock(&index->lock);
    *ret_list = list;
    return SC_OK;
}

static sc_queue *known(struct queue_index *index, sc_slice name)
{
    struct entry *entry;
    sc_queue *queue;

    pthread_mutex_lock(&index->lock);
    entry = find(index, name);
    queue = entry && !entry->hidden ? entry->queue : NULL;
    pthread_mutex_unlock(&index->lock);
    return queue;
}

sc_err queue_index_get(struct queue_index *index, sc_slice name, sc_queue **ret_queue,
                       sc_reason *ret_reason)
{
    sc_queue *queue = known(index, name);

    if (!queue) {
        look(index);
        queue = known(index, name);
    }
    if (!queue)
        return sc__because(ret_reason, SC_ENOTFOUND, "there is no queue \"%.*s\"",
                           (int)(name.len < 100 ? name.len : 100), name.ptr);
    *ret_queue = queue;
    return SC_OK;
}
