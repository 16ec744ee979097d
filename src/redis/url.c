#include "url.h"

#include <strings.h>
#include <sys/un.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"

enum {
    DEFAULT_PORT = 6379,
    SENTINEL_PORT = 26379,
    SENTINELS_MAX = 32,
    URL_MAX = 8 * 1024,
    DB_MAX = 1000000
};

#define SCHEMES "it begins with redis://, rediss://, unix:// or redis+sentinel://"

static sc_err refuse(sc_reason *reason, const char *why)
{
    return sc__because(reason, SC_EINVAL, "the Redis URL is not valid: %s", why);
}

void sc__url_release(sc__url *url)
{
    sc_free(url->path);
    sc_free(url->host);
    sc_free(url->user);
    sc_free(url->password);
    sc_free(url->shown);
    sc_free(url->master);
    for (size_t i = 0; i < url->sentinel_count; i++)
        sc__url_release(&url->sentinels[i]);
    sc_free(url->sentinels);
    *url = (sc__url){0};
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes percent-encoding into a C string, so an encoded NUL is refused. */
static sc_err decode(sc_slice text, char **ret_text, sc_reason *reason)
{
    char *out = sc__malloc(text.len + 1);
    size_t len = 0;

    if (!out)
        return SC_ENOMEM;
    for (size_t i = 0; i < text.len; i++) {
        int high, low;

        out[len++] = text.ptr[i];
        if (text.ptr[i] != '%')
            continue;
        high = i + 2 < text.len ? hex_digit(text.ptr[i + 1]) : -1;
        low = i + 2 < text.len ? hex_digit(text.ptr[i + 2]) : -1;
        if (high < 0 || low < 0 || high + low == 0) {
            sc_free(out);
            return refuse(reason,
                          "a % is not followed by two hex digits (of a byte that is not 0)");
        }
        out[len - 1] = (char)(high * 16 + low);
        i += 2;
    }
    out[len] = '\0';
    *ret_text = out;
    return SC_OK;
}

static bool take_until(sc_slice *rest, char mark, sc_slice *ret_before)
{
    const char *at = rest->len ? memchr(rest->ptr, mark, rest->len) : NULL;

    if (!at)
        return false;
    *ret_before = (sc_slice){rest->ptr, (size_t)(at - rest->ptr)};
    rest->len -= ret_before->len + 1;
    rest->ptr = at + 1;
    return true;
}

static sc_err parse_db(sc_slice text, sc__url *url, sc_reason *reason)
{
    int64_t db = 0;

    if (text.len && (!sc__int_parse(text, &db) || db < 0 || db > DB_MAX))
        return refuse(reason, "the database is not a number (redis://host:port/0)");
    url->db = (int)db;
    return SC_OK;
}

static sc_err parse_query(sc_slice query, sc__url *url, sc_reason *reason)
{
    if (query.len == 0)
        return SC_OK;
    if (query.len < 3 || memcmp(query.ptr, "db=", 3) != 0)
        return refuse(reason, "the only parameter it may have is ?db=<number>");
    return parse_db((sc_slice){query.ptr + 3, query.len - 3}, url, reason);
}

static sc_err parse_credentials(sc_slice text, sc__url *url, sc_reason *reason)
{
    sc_slice user = text;
    sc_err err;

    if (take_until(&text, ':', &user)) {
        err = decode(text, &url->password, reason);
        if (err)
            return err;
    }
    return user.len ? decode(user, &url->user, reason) : SC_OK;
}

static sc_err parse_port(sc_slice text, sc__url *url, sc_reason *reason)
{
    int64_t port;

    if (!sc__int_parse(text, &port) || port < 1 || port > 65535)
        return refuse(reason, "the port is not a number from 1 to 65535");
    url->port = (int)port;
    return SC_OK;
}

static sc_err parse_host(sc_slice text, int default_port, sc__url *url, sc_reason *reason)
{
    sc_slice host = text, port = {NULL, 0};
    bool has_port = false;

    if (text.len && text.ptr[0] == '[') {
        text.ptr++;
        text.len--;
        if (!take_until(&text, ']', &host) || (text.len && text.ptr[0] != ':'))
            return refuse(reason, "an IPv6 address must stand in [ and ]");
        has_port = text.len > 0;
        if (has_port)
            port = (sc_slice){text.ptr + 1, text.len - 1};
    } else if (take_until(&text, ':', &host)) {
        has_port = true;
        port = text;
    }
    url->port = default_port;
    if (has_port && parse_port(port, url, reason))
        return SC_EINVAL;
    if (host.len == 0)
        host = SC_S("127.0.0.1");
    return decode(host, &url->host, reason);
}

/* The last @ ends the credentials, so that a password may hold one. */
static bool take_credentials(sc_slice *authority, sc_slice *ret_credentials)
{
    for (size_t i = authority->len; i > 0; i--) {
        if (authority->ptr[i - 1] != '@')
            continue;
        *ret_credentials = (sc_slice){authority->ptr, i - 1};
        authority->ptr += i;
        authority->len -= i;
        return true;
    }
    return false;
}

static sc_err parse_tcp(sc_slice rest, sc_slice query, sc__url *url, sc_reason *reason)
{
    sc_slice authority = rest, credentials, db = {NULL, 0};
    sc_err err = SC_OK;

    if (take_until(&rest, '/', &authority))
        db = rest;
    if (take_credentials(&authority, &credentials))
        err = parse_credentials(credentials, url, reason);
    if (!err)
        err = parse_host(authority, DEFAULT_PORT, url, reason);
    if (!err)
        err = parse_db(db, url, reason);
    return err ? err : parse_query(query, url, reason);
}

static void show_host(const sc__url *url, sc__str *out)
{
    sc__str_printf(out, strchr(url->host, ':') ? "[%s]:%d" : "%s:%d", url->host, url->port);
}

static sc_err make_shown(sc__url *url)
{
    AUTO_STR shown = STR_MAX(URL_MAX + 64);

    if (url->path) {
        sc__str_printf(&shown, "unix://%s", url->path);
    } else if (url->master) {
        sc__str_text(&shown, url->tls ? "rediss+sentinel://" : "redis+sentinel://");
        for (size_t i = 0; i < url->sentinel_count; i++) {
            sc__str_text(&shown, i ? "," : "");
            show_host(&url->sentinels[i], &shown);
        }
        sc__str_printf(&shown, "/%s", url->master);
    } else {
        sc__str_text(&shown, url->tls ? "rediss://" : "redis://");
        show_host(url, &shown);
    }
    return sc__str_take(&shown, &url->shown);
}

/* "sentinel_user" and "sentinel_password": what the sentinels themselves want to hear. */
static sc_err parse_sentinel_query(sc_slice query, sc__url *login, sc_reason *reason)
{
    sc_err err = SC_OK;

    while (query.len && !err) {
        sc_slice part = query, key;

        if (!take_until(&query, '&', &part))
            query.len = 0;
        if (!take_until(&part, '=', &key))
            key = part;
        if (sc_slice_eq(key, SC_S("sentinel_user")) && !login->user)
            err = decode(part, &login->user, reason);
        else if (sc_slice_eq(key, SC_S("sentinel_password")) && !login->password)
            err = decode(part, &login->password, reason);
        else
            err = refuse(reason, "of sentinels it may have the parameters sentinel_user and "
                                 "sentinel_password, once each");
    }
    return err;
}

static sc_err add_sentinel(sc_slice host, const sc__url *login, sc__url *url, sc_reason *reason)
{
    sc__url *sentinel = &url->sentinels[url->sentinel_count];
    sc_err err;

    if (url->sentinel_count == SENTINELS_MAX)
        return refuse(reason, "it names more than 32 sentinels");
    *sentinel = (sc__url){.tls = url->tls};
    url->sentinel_count++;
    err = parse_host(host, SENTINEL_PORT, sentinel, reason);
    if (!err && login->user)
        err = (sentinel->user = sc__strdup(login->user)) ? SC_OK : SC_ENOMEM;
    if (!err && login->password)
        err = (sentinel->password = sc__strdup(login->password)) ? SC_OK : SC_ENOMEM;
    return err ? err : make_shown(sentinel);
}

static sc_err parse_sentinel_hosts(sc_slice hosts, sc_slice query, sc__url *url, sc_reason *reason)
{
    sc__url login = {0};
    sc_err err = parse_sentinel_query(query, &login, reason);

    url->sentinels = sc__calloc(SENTINELS_MAX, sizeof(*url->sentinels));
    if (!err && !url->sentinels)
        err = SC_ENOMEM;
    for (bool more = true; more && !err;) {
        sc_slice host = hosts;

        more = take_until(&hosts, ',', &host);
        err = add_sentinel(host, &login, url, reason);
    }
    sc__url_release(&login);
    return err;
}

/* "[user:password@]host:port,host:port/master/0": the login is for the servers. */
static sc_err parse_sentinels(sc_slice rest, sc_slice query, sc__url *url, sc_reason *reason)
{
    sc_slice authority, credentials, master = {NULL, 0}, db = {NULL, 0};
    sc_err err = SC_OK;

    if (take_until(&rest, '/', &authority)) {
        master = rest;
        if (take_until(&rest, '/', &master))
            db = rest;
    }
    if (!master.len)
        return refuse(reason, "it names no master (redis+sentinel://host:26379/mymaster)");
    if (take_credentials(&authority, &credentials))
        err = parse_credentials(credentials, url, reason);
    if (!err)
        err = decode(master, &url->master, reason);
    if (!err)
        err = parse_db(db, url, reason);
    return err ? err : parse_sentinel_hosts(authority, query, url, reason);
}

static sc_err parse_unix(sc_slice rest, sc_slice query, sc__url *url, sc_reason *reason)
{
    const size_t longest = sizeof(((struct sockaddr_un *)0)->sun_path) - 1;
    sc_slice credentials;
    sc_err err = SC_OK;

    if (rest.len && rest.ptr[0] != '/' && take_credentials(&rest, &credentials))
        err = parse_credentials(credentials, url, reason);
    if (err)
        return err;
    if (rest.len == 0 || rest.ptr[0] != '/')
        return refuse(reason, "a socket's path is absolute (unix:///run/redis.sock)");
    err = decode(rest, &url->path, reason);
    if (err)
        return err;
    if (strlen(url->path) > longest)
        return sc__because(reason, SC_EINVAL,
                           "the Redis URL is not valid: a socket's path has at most %zu bytes, "
                           "this one has %zu; use a folder with a shorter name",
                           longest, strlen(url->path));
    return parse_query(query, url, reason);
}

static bool is_scheme(sc_slice scheme, const char *name)
{
    return scheme.len == strlen(name) && strncasecmp(scheme.ptr, name, scheme.len) == 0;
}

static sc_err parse_scheme(sc_slice scheme, sc_slice rest, sc__url *url, sc_reason *reason)
{
    sc_slice query = {NULL, 0}, path;

    if (take_until(&rest, '?', &path)) {
        query = rest;
        rest = path;
    }
    url->tls = is_scheme(scheme, "rediss") || is_scheme(scheme, "rediss+sentinel");
    if (url->tls ? scheme.len == 6 : is_scheme(scheme, "redis"))
        return parse_tcp(rest, query, url, reason);
    if (url->tls || is_scheme(scheme, "redis+sentinel"))
        return parse_sentinels(rest, query, url, reason);
    if (is_scheme(scheme, "unix"))
        return parse_unix(rest, query, url, reason);
    return refuse(reason, SCHEMES);
}

sc_err sc__url_parse(const char *text, sc__url *ret_url, sc_reason *ret_reason)
{
    const char *colon = strstr(text, "://");
    sc__url url = {0};
    sc_err err;

    if (!colon)
        return refuse(ret_reason, SCHEMES);
    if (strlen(text) > URL_MAX)
        return refuse(ret_reason, "it is too long");
    err = parse_scheme((sc_slice){text, (size_t)(colon - text)}, sc_slice_of(colon + 3), &url,
                       ret_reason);
    if (!err)
        err = make_shown(&url);
    if (err) {
        sc__url_release(&url);
        return err;
    }
    *ret_url = url;
    return SC_OK;
}
