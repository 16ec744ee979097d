/* redis/resp.c with any bytes: first whole, then in pieces whose sizes the first byte picks; both must say the
 * same. */
#include <stdint.h>
#include <stdlib.h>

#include "redis/reply.h"
#include "redis/resp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 64 * 1024 };

/* Touches every byte of the reply, and counts something of each node. */
static uint64_t digest(const sc_reply *r)
{
    uint64_t sum = (uint64_t)r->type * 31 + (uint64_t)r->integer + r->count;

    for (size_t i = 0; i < r->str.len; i++)
        sum = sum * 33 + (unsigned char)r->str.ptr[i];
    for (size_t i = 0; i < r->count; i++)
        sum = sum * 37 + digest(&r->items[i]);
    return sum;
}

static uint64_t read_all(const uint8_t *data, size_t size, size_t piece, sc_err *ret_err)
{
    const sc_reply *reply;
    uint64_t sum = 0;
    bool is_push;
    sc__resp p;

    *ret_err = SC_OK;
    sc__resp_init(&p, LIMIT);
    while (size > 0 && !*ret_err) {
        size_t room, n = size < piece ? size : piece;
        char *space;

        if (sc__resp_space(&p, &space, &room))
            abort();
        n = n < room ? n : room;
        memcpy(space, data, n);
        sc__resp_fed(&p, n);
        data += n;
        size -= n;
        while (!(*ret_err = sc__resp_next(&p, &reply, &is_push)) && reply) {
            sc_reply *copy = sc__reply_dup(reply);

            sum = sum * 41 + digest(reply);
            if (!copy || digest(copy) != digest(reply))
                abort();
            sc_reply_free(copy);
        }
    }
    sc__resp_release(&p);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sc_err whole_err, pieces_err;
    uint64_t whole, pieces;

    if (size < 2 || size > LIMIT / 2)
        return 0;
    whole = read_all(data + 1, size - 1, SIZE_MAX, &whole_err);
    pieces = read_all(data + 1, size - 1, 1 + data[0] % 17, &pieces_err);
    if (whole != pieces || whole_err != pieces_err)
        abort();
    return 0;
}
