#include "guard.h"

#include <arpa/inet.h>
#include <strings.h>

#include "app/cache_keys.h"
#include "base/error.h"

enum { HOST_MAX = 256 };

/* The host of "name:port", "[::1]:port" or "name", without port and brackets. */
static bool host_name(const char *host, char out[HOST_MAX])
{
    bool bracket = host[0] == '[';
    size_t len = strcspn(host + bracket, bracket ? "]" : ":");

    if (len == 0 || len >= HOST_MAX)
        return false;
    memcpy(out, host + bracket, len);
    out[len] = '\0';
    return true;
}

static bool is_address(const char *name)
{
    struct in6_addr any;

    return inet_pton(AF_INET, name, &any) == 1 || inet_pton(AF_INET6, name, &any) == 1;
}

static bool is_localhost(const char *name)
{
    size_t len = strlen(name);
    static const char suffix[] = ".localhost";

    return strcasecmp(name, "localhost") == 0 ||
           (len >= sizeof(suffix) && strcasecmp(name + len - (sizeof(suffix) - 1), suffix) == 0);
}

sc_err guard_host(struct request *request, sc_reason *ret_reason)
{
    const char *host = request_header(request, "Host");
    char name[HOST_MAX];

    if (!request->shared->loopback_only || !host)
        return SC_OK;
    if (host_name(host, name) && (is_address(name) || is_localhost(name)))
        return SC_OK;
    request->answer.status = 421;
    return sc__because(ret_reason, SC_EPERM,
                       "this server is for its own machine: it answers as localhost or by address, "
                       "not as \"%.60s\"; serve with --allow-remote to take any name",
                       host);
}

/* "https://host:port" belongs to the Host that was asked. */
static bool is_own_origin(const char *origin, const char *host)
{
    const char *slashes = strstr(origin, "://");

    return slashes && host && strcasecmp(slashes + 3, host) == 0;
}

sc_err guard_origin(struct request *request, bool proof, sc_reason *ret_reason)
{
    const char *site = request_header(request, "Sec-Fetch-Site");
    const char *origin = request_header(request, "Origin");

    if (site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0)
        return sc__because(ret_reason, SC_EPERM, "another site's page may not do this");
    if (origin && !is_own_origin(origin, request_header(request, "Host")))
        return sc__because(ret_reason, SC_EPERM, "a page of %.80s may not do this", origin);
    if (proof && !site && !origin)
        return sc__because(ret_reason, SC_EPERM,
                           "send \"Sec-Fetch-Site: none\" (or an Origin that is this server) to "
                           "show that no other site's page asks for this");
    return SC_OK;
}

sc_err guard_rate(struct request *request, sc_reason *ret_reason)
{
    AUTO_STR key = CACHE_KEY;
    sc_limit limit;
    long long wait_s;

    if (cache_key_rate_limit(&key, sc_slice_of(request->peer)) ||
        sc_limiter_check(request->shared->limiter, sc__str_slice(&key), &limit) || limit.allowed)
        return SC_OK;
    wait_s = (limit.reset_ms + 999) / 1000;
    request->answer.status = 429;
    request->answer.retry_after_s = wait_s;
    return sc__because(ret_reason, SC_EOVERLOAD,
                       "too many writes from %s: try again in %lld seconds", request->peer, wait_s);
}
