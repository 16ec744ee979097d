#include "op_children.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/mem.h"
#include "redis/client.h"
#include "redis/reply.h"

enum {
    CHILDREN_MAX = 1000000,
    BYTES_MAX = 256 * 1024 * 1024,
    PAGE = 500, /* of a call that reads all */
};

static const sc__send_opts again = {.idempotent = true};

/* Where the children of a kind are, and how they are read. */
static const struct place {
    const char *suffix, *command;
    bool has_text; /* a hash: key and text by turns */
} places[] = {
    [SC_CHILD_PROCESSED] = {":processed", "HSCAN", true},
    [SC_CHILD_UNPROCESSED] = {":dependencies", "SSCAN", false},
    [SC_CHILD_IGNORED] = {":failed", "HSCAN", true},
    [SC_CHILD_FAILED] = {":unsuccessful", NULL, false},
};

void sc_child_list_free(sc_child_list *list)
{
    sc_free(list);
}

/* The queue's qualified name is what stands before the last ':', the id what stands behind it. */
static sc_child split(sc_slice key, sc_slice text)
{
    size_t at = key.len;

    while (at > 0 && key.ptr[at - 1] != ':')
        at--;
    return (sc_child){.key = key,
                      .queue = {key.ptr, at > 0 ? at - 1 : 0},
                      .id = {key.ptr + at, key.len - at},
                      .text = text};
}

static sc_slice put(char **at, sc_slice text)
{
    sc_slice copy = {*at, text.len};

    if (text.len)
        memcpy(*at, text.ptr, text.len);
    (*at)[text.len] = '\0';
    *at += text.len + 1;
    return copy;
}

/* A list in one allocation, from children whose key and text alone are set. */
static sc_child_list *list_new(const sc_child *from, size_t count, uint64_t next)
{
    size_t size = sizeof(sc_child_list) + count * sizeof(sc_child);
    sc_child_list *list;
    sc_child *children;
    char *at;

    for (size_t i = 0; i < count; i++)
        size += from[i].key.len + from[i].text.len + 2;
    list = sc__malloc(size);
    if (!list)
        return NULL;
    children = (sc_child *)(list + 1);
    at = (char *)(children + count);
    for (size_t i = 0; i < count; i++) {
        sc_slice key = put(&at, from[i].key);

        children[i] = split(key, put(&at, from[i].text));
    }
    *list = (sc_child_list){count, children, next};
    return list;
}

/* A page as it came from the server. */
struct page {
    sc_reply *reply;
    const sc_reply *items; /* of the reply */
    size_t count;          /* children */
    size_t stride;         /* items of one */
    uint64_t next;
};

static sc_child page_child(const struct page *page, size_t i)
{
    const sc_reply *item = &page->items[i * page->stride];

    return (sc_child){.key = item[0].str,
                      .text = page->stride == 2 ? item[1].str : (sc_slice){NULL, 0}};
}

static sc_err check_texts(const sc_reply *items, size_t count, sc_reason *ret_reason)
{
    sc_slice text;
    sc_err err = SC_OK;

    for (size_t i = 0; i < count && !err; i++)
        err = sc__reply_str(&items[i], &text, ret_reason);
    return err;
}

/* [cursor, [key, text, …]] */
static sc_err read_scan(const struct place *place, struct page *page, sc_reason *ret_reason)
{
    const sc_reply *parts;
    int64_t cursor;
    sc_slice text;
    size_t n;
    sc_err err = sc__reply_array(page->reply, &parts, &n, ret_reason);

    if (!err && n != 2)
        err = sc__because(ret_reason, SC_EPROTO, "a scan answered with %zu parts", n);
    if (!err)
        err = sc__reply_str(&parts[0], &text, ret_reason);
    if (!err)
        err = sc__reply_array(&parts[1], &page->items, &n, ret_reason);
    if (!err)
        err = check_texts(page->items, n, ret_reason);
    if (err)
        return err;
    /* Cursors above 2^63 don't come: they are places in a table that fits into memory. */
    if (!sc__int_parse(text, &cursor) || cursor < 0)
        return sc__because(ret_reason, SC_EPROTO, "a scan answered with the cursor \"%.*s\"",
                           (int)(text.len < 32 ? text.len : 32), text.ptr);
    page->next = (uint64_t)cursor;
    page->stride = place->has_text ? 2 : 1;
    page->count = n / page->stride;
    return SC_OK;
}

static sc_err read_range(struct page *page, uint64_t from, int64_t count, sc_reason *ret_reason)
{
    size_t n;
    sc_err err = sc__reply_array(page->reply, &page->items, &n, ret_reason);

    if (!err)
        err = check_texts(page->items, n, ret_reason);
    if (err)
        return err;
    page->next = n == (size_t)count ? from + n : 0;
    page->stride = 1;
    page->count = n;
    return SC_OK;
}

static sc_err call_page(sc_client *client, sc_slice key, const struct place *place, uint64_t from,
                        int64_t count, sc_reply **ret_reply)
{
    char first[SC__INT_LEN], last[SC__INT_LEN], number[SC__INT_LEN];
    const sc_slice from_text = {first, sc__int_text((int64_t)from, first)};
    const sc_slice to_text = {last, sc__int_text((int64_t)from + count - 1, last)};
    const sc_slice count_text = {number, sc__int_text(count, number)};
    const sc_slice range[] = {SC_S("ZRANGE"), key, from_text, to_text};
    const sc_slice scan[] = {sc_slice_of(place->command), key, from_text, SC_S("COUNT"),
                             count_text};

    return place->command ? sc__client_send_wait(client, scan, 5, &again, ret_reply)
                          : sc__client_send_wait(client, range, 4, &again, ret_reply);
}

/* The caller frees page->reply, whatever comes. */
static sc_err get_page(sc_client *client, sc_slice key, const struct place *place, uint64_t from,
                       int64_t count, struct page *page, sc_reason *ret_reason)
{
    sc_err err = call_page(client, key, place, from, count, &page->reply);

    if (err)
        return sc__because(ret_reason, err, "reading a job's children: %s", sc_err_text(err));
    return place->command ? read_scan(place, page, ret_reason)
                          : read_range(page, from, count, ret_reason);
}

static sc_err check_page(sc_child_kind kind, uint64_t from, int64_t count, sc_reason *ret_reason)
{
    if ((unsigned)kind > SC_CHILD_FAILED || from > INT64_MAX - SC__CHILDREN_PAGE_MAX)
        return sc__because(ret_reason, SC_EINVAL, "no children are kept there");
    if (count < 1 || count > SC__CHILDREN_PAGE_MAX)
        return sc__because(ret_reason, SC_EINVAL, "a page has 1 to %d children",
                           SC__CHILDREN_PAGE_MAX);
    return SC_OK;
}

static sc_err list_of(const struct page *page, sc_child_list **ret_list)
{
    sc_child *children = sc__calloc(page->count, sizeof(*children));
    sc_child_list *list = NULL;

    for (size_t i = 0; children && i < page->count; i++)
        children[i] = page_child(page, i);
    if (children)
        list = list_new(children, page->count, page->next);
    sc_free(children);
    if (!list)
        return SC_ENOMEM;
    *ret_list = list;
    return SC_OK;
}

sc_err sc__op_get_children(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                           sc_child_kind kind, uint64_t from, int64_t count,
                           sc_child_list **ret_list, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    struct page page = {.reply = NULL};
    sc_err err = check_page(kind, from, count, ret_reason);

    if (!err)
        err = sc__queue_job_key(&key, keys, id, places[kind].suffix, ret_reason);
    if (!err)
        err = get_page(client, sc__str_slice(&key), &places[kind], from, count, &page, ret_reason);
    if (!err)
        err = list_of(&page, ret_list);
    sc_reply_free(page.reply);
    return err;
}

/* Children of many pages; keys and texts are copies. */
struct gathered {
    sc__arena arena;
    sc_child *children;
    size_t count, cap;
};

static sc_err gather_one(struct gathered *g, sc_child child)
{
    char *key, *text;

    if (g->count == CHILDREN_MAX)
        return SC_ETOOBIG;
    if (g->count == g->cap) {
        size_t cap = g->cap ? g->cap * 2 : 64;
        sc_child *grown = sc__realloc(g->children, cap * sizeof(*grown));

        if (!grown)
            return SC_ENOMEM;
        g->children = grown;
        g->cap = cap;
    }
    key = sc__arena_dup(&g->arena, child.key);
    text = sc__arena_dup(&g->arena, child.text);
    if (!key || !text)
        return SC_ETOOBIG;
    g->children[g->count++] =
        (sc_child){.key = {key, child.key.len}, .text = {text, child.text.len}};
    return SC_OK;
}

static sc_err gather(struct gathered *g, const struct page *page, sc_reason *ret_reason)
{
    sc_err err = SC_OK;

    for (size_t i = 0; i < page->count && !err; i++)
        err = gather_one(g, page_child(page, i));
    if (err)
        return sc__because(ret_reason, err, "a job's children: %s", sc_err_text(err));
    return SC_OK;
}

static int by_key(const void *a, const void *b)
{
    sc_slice x = ((const sc_child *)a)->key, y = ((const sc_child *)b)->key;
    int order = memcmp(x.ptr, y.ptr, x.len < y.len ? x.len : y.len);

    return order ? order : (x.len > y.len) - (x.len < y.len);
}

/* A scan may show a child twice. */
static void sort_out(struct gathered *g)
{
    size_t kept = 0;

    if (g->count)
        qsort(g->children, g->count, sizeof(*g->children), by_key);
    for (size_t i = 0; i < g->count; i++)
        if (!kept || !sc_slice_eq(g->children[i].key, g->children[kept - 1].key))
            g->children[kept++] = g->children[i];
    g->count = kept;
}

sc_err sc__op_get_all_children(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                               sc_child_kind kind, sc_child_list **ret_list, sc_reason *ret_reason)
{
    AUTO_STR key = STR_MAX(SC__JOB_KEY_MAX);
    struct gathered g = {.children = NULL};
    uint64_t from = 0;
    sc_err err;

    sc__arena_init(&g.arena, BYTES_MAX);
    err = sc__queue_job_key(&key, keys, id, places[kind].suffix, ret_reason);
    do {
        struct page page = {.reply = NULL};

        if (!err)
            err =
                get_page(client, sc__str_slice(&key), &places[kind], from, PAGE, &page, ret_reason);
        if (!err)
            err = gather(&g, &page, ret_reason);
        from = page.next;
        sc_reply_free(page.reply);
    } while (!err && from);
    sort_out(&g);
    if (!err) {
        *ret_list = list_new(g.children, g.count, 0);
        err = *ret_list ? SC_OK : sc__because(ret_reason, SC_ENOMEM, "out of memory");
    }
    sc_free(g.children);
    sc__arena_release(&g.arena);
    return err;
}

static sc_err ask_number(sc_client *client, const sc_slice *argv, size_t argc, int64_t *ret_number,
                         sc_reason *ret_reason)
{
    sc_reply *reply = NULL;
    sc_err err = sc__client_send_wait(client, argv, argc, &again, &reply);

    if (err)
        return sc__because(ret_reason, err, "looking at a job's children: %s", sc_err_text(err));
    err = sc__reply_int(reply, ret_number, ret_reason);
    sc_reply_free(reply);
    return err;
}

sc_err sc__op_look_at_children(sc_client *client, const sc__queue_keys *keys, sc_slice id,
                               sc_slice child_key, bool *ret_pending, bool *ret_failed,
                               sc_reason *ret_reason)
{
    AUTO_STR dependencies = STR_MAX(SC__JOB_KEY_MAX), unsuccessful = STR_MAX(SC__JOB_KEY_MAX);
    int64_t pending = 0, failed = 0;
    sc_err err;

    err =
        sc__queue_job_key(&dependencies, keys, id, places[SC_CHILD_UNPROCESSED].suffix, ret_reason);
    if (!err)
        err =
            sc__queue_job_key(&unsuccessful, keys, id, places[SC_CHILD_FAILED].suffix, ret_reason);
    if (err)
        return err;

    const sc_slice is_child[] = {SC_S("SISMEMBER"), sc__str_slice(&dependencies), child_key};
    const sc_slice any_child[] = {SC_S("EXISTS"), sc__str_slice(&dependencies)};
    const sc_slice any_failed[] = {SC_S("EXISTS"), sc__str_slice(&unsuccessful)};

    err = ask_number(client, any_failed, 2, &failed, ret_reason);
    if (!err && child_key.len)
        err = ask_number(client, is_child, 3, &pending, ret_reason);
    else if (!err)
        err = ask_number(client, any_child, 2, &pending, ret_reason);
    if (err)
        return err;
    *ret_pending = pending > 0;
    *ret_failed = failed > 0;
    return SC_OK;
}
