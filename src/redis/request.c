#include "request.h"

#include "base/mem.h"
#include "resp.h"

sc__request *sc__request_new(const sc_slice *argv, size_t argc, size_t len)
{
    sc__request *req = sc__malloc(sizeof(*req) + len);

    if (!req)
        return NULL;
    *req = (sc__request){.len = len};
    sc__resp_command_write(req->bytes, argv, argc);
    return req;
}

void sc__requests_put(sc__requests *list, sc__request *req)
{
    req->next = NULL;
    if (list->last)
        list->last->next = req;
    else
        list->first = req;
    list->last = req;
}

sc__request *sc__requests_take(sc__requests *list)
{
    sc__request *req = list->first;

    if (!req)
        return NULL;
    list->first = req->next;
    if (!list->first)
        list->last = NULL;
    return req;
}

void sc__requests_join(sc__requests *list, sc__requests *tail)
{
    if (!tail->first)
        return;
    if (list->last)
        list->last->next = tail->first;
    else
        list->first = tail->first;
    list->last = tail->last;
    *tail = (sc__requests){NULL, NULL};
}
