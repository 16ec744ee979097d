/* server/request.c and routes.c: the target of a request line, its path and its query. */
#include "server/routes.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(sc_slice text)
{
    if (!sc__utf8_valid(text, NULL) || (text.len && memchr(text.ptr, '\0', text.len)))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"list", "q", "limit", ""};
    struct http_shared shared = {.max_body = 1024};
    char *target = sc__slice_dup((sc_slice){(const char *)data, size});
    struct request *request = target ? request_new(&shared, target) : NULL;
    char allowed[ROUTES_ALLOW];
    const struct route *route;
    int64_t number;
    sc_slice value;

    if (!request)
        abort();
    request->method = "GET";
    if (!routes_find(request, &route, allowed, NULL) && route)
        for (size_t i = 0; i < REQUEST_PARAMS; i++)
            check_text(request->params[i]);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        if (!request_query(request, names[i], &value, NULL))
            check_text(value);
        if (!request_query_int(request, names[i], 5, 1, 9, &number, NULL) &&
            (number < 1 || number > 9))
            abort();
    }
    request_free(request);
    sc_free(target);
    return 0;
}
