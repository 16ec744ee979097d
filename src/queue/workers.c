/* Who works on a queue, by the names of the server's clients. */
#include <storychain/inspect.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "id_list.h"
#include "ops/client_name.h"
#include "ops/op_inspect.h"
#include "queue.h"

enum { NAME_MAX_BYTES = 16 * 1024 };

/* Takes what stands before `end` off the front of a text. */
static sc_slice cut(sc_slice *rest, char end)
{
    const char *at = rest->len ? memchr(rest->ptr, end, rest->len) : NULL;
    size_t len = at ? (size_t)(at - rest->ptr) : rest->len;
    sc_slice piece = {rest->ptr, len};

    rest->ptr += len + (at != NULL);
    rest->len -= len + (at != NULL);
    return piece;
}

static int64_t number_of(sc_slice text)
{
    int64_t number;

    return sc__int_parse(text, &number) ? number : 0;
}

/* A line of CLIENT LIST: "id=3 addr=127.0.0.1:6379 name=… age=5 …". `*ret_name` is the connection's. */
static sc_worker_info read_client(sc_slice line, sc_slice *ret_name)
{
    sc_worker_info info = {.client_id = 0};

    *ret_name = (sc_slice){NULL, 0};
    while (line.len) {
        sc_slice value = cut(&line, ' ');
        sc_slice field = cut(&value, '=');

        if (sc_slice_eq(field, SC_S("name")))
            *ret_name = value;
        else if (sc_slice_eq(field, SC_S("addr")))
            info.address = value;
        else if (sc_slice_eq(field, SC_S("id")))
            info.client_id = number_of(value);
        else if (sc_slice_eq(field, SC_S("age")))
            info.age_s = number_of(value);
        else if (sc_slice_eq(field, SC_S("idle")))
            info.idle_s = number_of(value);
    }
    return info;
}

/* {queue's name} or {queue's name}:w:{worker}. */
static bool is_worker(sc_slice name, sc_slice of_queue, sc_slice *ret_worker)
{
    const sc_slice mark = SC_S(":w:");
    sc_slice rest;

    if (!of_queue.len || name.len < of_queue.len ||
        memcmp(name.ptr, of_queue.ptr, of_queue.len) != 0)
        return false;
    rest = (sc_slice){name.ptr + of_queue.len, name.len - of_queue.len};
    *ret_worker = (sc_slice){NULL, 0};
    if (!rest.len)
        return true;
    if (rest.len < mark.len || memcmp(rest.ptr, mark.ptr, mark.len) != 0)
        return false;
    *ret_worker = (sc_slice){rest.ptr + mark.len, rest.len - mark.len};
    return true;
}

/* Counts the workers in a text, and the bytes of their words; with `list` also fills it. */
static size_t read_workers(sc_slice text, sc_slice of_queue, sc_worker_info *list, char *at,
                           size_t *ret_bytes)
{
    size_t count = 0, bytes = 0;

    while (text.len) {
        sc_slice line = cut(&text, '\n'), name, worker;
        sc_worker_info info = read_client(line, &name);

        if (!is_worker(name, of_queue, &worker))
            continue;
        bytes += worker.len + info.address.len + 2;
        if (list) {
            info.name = sc__put_text(&at, worker);
            info.address = sc__put_text(&at, info.address);
            list[count] = info;
        }
        count++;
    }
    *ret_bytes = bytes;
    return count;
}

static sc_worker_list *make_list(sc_slice text, sc_slice of_queue)
{
    size_t bytes, count = read_workers(text, of_queue, NULL, NULL, &bytes);
    sc_worker_list *list = sc__malloc(sizeof(*list) + count * sizeof(sc_worker_info) + bytes);
    sc_worker_info *workers;

    if (!list)
        return NULL;
    workers = (sc_worker_info *)(list + 1);
    read_workers(text, of_queue, workers, (char *)(workers + count), &bytes);
    *list = (sc_worker_list){count, workers};
    return list;
}

sc_err sc_queue_get_workers(sc_queue *queue, sc_worker_list **ret_workers, sc_reason *ret_reason)
{
    AUTO_STR name = STR_MAX(NAME_MAX_BYTES);
    sc_worker_list *list;
    sc_reply *reply = NULL;
    sc_err err;

    sc__worker_client_name(&name, sc_queue_prefix(queue), sc_queue_name(queue), SC_S(""));
    err = name.err ? sc__because(ret_reason, name.err, "out of memory")
                   : sc__op_list_clients(queue->client, &reply, ret_reason);
    if (err)
        return err;
    list = make_list(reply->str, sc__str_slice(&name));
    sc_reply_free(reply);
    if (!list)
        return sc__because(ret_reason, SC_ENOMEM, "out of memory");
    *ret_workers = list;
    return SC_OK;
}
