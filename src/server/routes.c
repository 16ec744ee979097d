#include "routes.h"

#include "base/error.h"
#include "handlers.h"

const struct route routes[] = {
    {"GET", "/", route_page, SCOPE_PROBE, "The dashboard"},
    {"GET", "/assets/:file", route_asset, SCOPE_PROBE, "A file of the dashboard"},
    {"GET", "/healthz", route_healthz, SCOPE_PROBE, "Whether the process runs"},
    {NULL, NULL, NULL, SCOPE_PROBE, NULL},
};

size_t routes_count(void)
{
    return sizeof(routes) / sizeof(*routes) - 1;
}

/* Cuts the next part of a path, which begins with '/'. */
static sc_slice next_part(sc_slice *rest)
{
    const char *end = rest->len > 1 ? memchr(rest->ptr + 1, '/', rest->len - 1) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    sc_slice part = {rest->ptr + 1, len - 1};

    rest->ptr += len;
    rest->len -= len;
    return part;
}

/* Whether the path is the route's; its parameters, still encoded, go to `raw`. */
static bool fits(const struct route *route, sc_slice path, sc_slice raw[REQUEST_PARAMS])
{
    sc_slice pattern = sc_slice_of(route->path);
    size_t n = 0;

    if (!path.len || path.ptr[0] != '/')
        return false;
    while (pattern.len && path.len) {
        sc_slice want = next_part(&pattern), part = next_part(&path);

        if (want.len && want.ptr[0] == ':') {
            if (!part.len)
                return false;
            raw[n++] = part;
        } else if (!sc_slice_eq(want, part))
            return false;
    }
    return !pattern.len && !path.len;
}

static void allow(char list[ROUTES_ALLOW], const char *method)
{
    size_t at = strlen(list);

    snprintf(list + at, ROUTES_ALLOW - at, "%s%s%s", at ? ", " : "", method,
             strcmp(method, "GET") == 0 ? ", HEAD" : "");
}

sc_err routes_find(struct request *request, const struct route **ret_route,
                   char ret_allow[ROUTES_ALLOW], sc_reason *ret_reason)
{
    sc_slice raw[REQUEST_PARAMS] = {{NULL, 0}};

    ret_allow[0] = '\0';
    for (const struct route *r = routes; r->method; r++) {
        if (!fits(r, request->path, raw))
            continue;
        if (strcmp(r->method, request->method) != 0) {
            allow(ret_allow, r->method);
            continue;
        }
        *ret_route = r;
        for (size_t i = 0; i < REQUEST_PARAMS && raw[i].ptr; i++) {
            sc_err err = request_decode(request, raw[i], &request->params[i], ret_reason);

            if (err)
                return err;
        }
        return SC_OK;
    }
    *ret_route = NULL;
    return SC_OK;
}
