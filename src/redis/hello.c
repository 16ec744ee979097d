#include "hello.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/error.h"
#include "reply.h"
#include "resp.h"

static bool has_name(const sc__hello *h)
{
    return h->name && *h->name;
}

static sc_slice user_of(const sc__hello *h)
{
    return h->url->user ? sc_slice_of(h->url->user) : SC_S("default");
}

static bool has_login(const sc__hello *h)
{
    return h->url->user || h->url->password;
}

static void say_hello(const sc__hello *h, sc__str *out)
{
    sc_slice argv[8] = {SC_S("HELLO"), SC_S("3")};
    size_t argc = 2;

    if (has_login(h)) {
        argv[argc++] = SC_S("AUTH");
        argv[argc++] = user_of(h);
        argv[argc++] = sc_slice_of(h->url->password);
    }
    if (has_name(h)) {
        argv[argc++] = SC_S("SETNAME");
        argv[argc++] = sc_slice_of(h->name);
    }
    sc__resp_command_append(out, argv, argc);
}

static void say_auth(const sc__hello *h, sc__str *out)
{
    sc_slice argv[3] = {SC_S("AUTH")};
    size_t argc = 1;

    if (h->url->user) /* AUTH with a user came with Redis 6, as HELLO did */
        argv[argc++] = sc_slice_of(h->url->user);
    argv[argc++] = sc_slice_of(h->url->password);
    sc__resp_command_append(out, argv, argc);
}

static void say_select(const sc__hello *h, sc__str *out)
{
    char digits[SC__INT_LEN];
    sc_slice argv[2] = {SC_S("SELECT"), {digits, sc__int_text(h->url->db, digits)}};

    sc__resp_command_append(out, argv, 2);
}

static void say_time(sc__hello *h, sc__str *out)
{
    h->time_asked_ns = sc__mono_ns();
    sc__resp_command_append(out, (const sc_slice[]){SC_S("TIME")}, 1);
}

static void say_tracking(const sc__hello *h, sc__str *out)
{
    const sc_slice argv[] = {SC_S("CLIENT"), SC_S("TRACKING"), SC_S("ON"),
                             SC_S("BCAST"),  SC_S("PREFIX"),   sc_slice_of(h->track_prefix)};

    sc__resp_command_append(out, argv, h->track_prefix ? 6 : 3);
}

/* The next step that there is something to do for, and its command. */
static void go_on(sc__hello *h, enum sc__hello_step step, sc__str *out)
{
    static const sc_slice info[] = {SC_S("INFO"), SC_S("server")};

    if (step == SC__HELLO_AUTH && !has_login(h))
        step = SC__HELLO_SETNAME;
    if (step == SC__HELLO_SETNAME && !has_name(h))
        step = SC__HELLO_INFO;
    if (step == SC__HELLO_SELECT && h->url->db == 0)
        step = SC__HELLO_TRACKING;
    if (step == SC__HELLO_TRACKING && !h->tracks)
        step = SC__HELLO_DONE;
    if (step == SC__HELLO_TRACKING && !h->speaks_resp3)
        step = SC__HELLO_TIME;
    h->step = step;
    if (step == SC__HELLO_HELLO)
        say_hello(h, out);
    else if (step == SC__HELLO_AUTH)
        say_auth(h, out);
    else if (step == SC__HELLO_SETNAME)
        sc__resp_command_append(
            out, (const sc_slice[]){SC_S("CLIENT"), SC_S("SETNAME"), sc_slice_of(h->name)}, 3);
    else if (step == SC__HELLO_INFO)
        sc__resp_command_append(out, info, 2);
    else if (step == SC__HELLO_SELECT)
        say_select(h, out);
    else if (step == SC__HELLO_TRACKING)
        say_tracking(h, out);
    else if (step == SC__HELLO_TIME)
        say_time(h, out);
}

static void keep(char *to, size_t cap, sc_slice text)
{
    snprintf(to, cap, "%.*s", (int)(text.len < cap ? text.len : cap), text.ptr);
}

static void read_hello(sc__hello *h, const sc_reply *map)
{
    h->speaks_resp3 = true;
    for (size_t i = 0; i + 1 < map->count; i += 2) {
        const sc_reply *key = &map->items[i], *value = &map->items[i + 1];

        if (value->type == SC_REPLY_INT && sc_slice_eq(key->str, SC_S("id")))
            h->client_id = value->integer;
        if (value->type != SC_REPLY_STRING)
            continue;
        if (sc_slice_eq(key->str, SC_S("server")))
            keep(h->info.software, sizeof(h->info.software), value->str);
        if (sc_slice_eq(key->str, SC_S("version")))
            keep(h->info.version, sizeof(h->info.version), value->str);
        if (sc_slice_eq(key->str, SC_S("role")))
            h->is_master = sc_slice_eq(value->str, SC_S("master"));
    }
}

static bool find_field(sc_slice text, const char *name, sc_slice *ret_value)
{
    const char *at = text.len ? memmem(text.ptr, text.len, name, strlen(name)) : NULL;
    const char *end;

    if (!at)
        return false;
    at += strlen(name);
    end = memchr(at, '\r', text.len - (size_t)(at - text.ptr));
    if (!end)
        return false;
    *ret_value = (sc_slice){at, (size_t)(end - at)};
    return true;
}

static void read_info(sc__hello *h, const sc_reply *reply)
{
    sc_slice value;

    if (reply->type != SC_REPLY_STRING)
        return;
    if (find_field(reply->str, "valkey_version:", &value)) {
        keep(h->info.software, sizeof(h->info.software), SC_S("valkey"));
        keep(h->info.version, sizeof(h->info.version), value);
    } else if (find_field(reply->str, "redis_version:", &value)) {
        keep(h->info.software, sizeof(h->info.software), SC_S("redis"));
        keep(h->info.version, sizeof(h->info.version), value);
    }
}

static bool says(const sc_reply *reply, const char *text)
{
    return reply->str.len && memmem(reply->str.ptr, reply->str.len, text, strlen(text));
}

static bool means_login(const sc__hello *h, const sc_reply *reply)
{
    return sc__reply_is_error(reply, "NOAUTH") || sc__reply_is_error(reply, "WRONGPASS") ||
           sc__reply_is_error(reply, "NOPERM") || h->step == SC__HELLO_AUTH;
}

static sc_err refused(const sc__hello *h, const sc_reply *reply, sc_reason *reason)
{
    if (sc__reply_is_error(reply, "NOAUTH"))
        return sc__because(reason, SC_EAUTH,
                           "the server wants a password (NOAUTH): write it into the URL, as in "
                           "redis://:PASSWORD@HOST or redis://USER:PASSWORD@HOST");
    if (means_login(h, reply))
        return sc__because(reason, SC_EAUTH, "the server refused the login: %.*s",
                           (int)reply->str.len, reply->str.ptr);
    return sc__reply_check(reply, reason);
}

static bool knows_no_hello(const sc_reply *reply)
{
    return sc__reply_is_error(reply, "NOPROTO") || says(reply, "unknown command");
}

sc_err sc__hello_next(sc__hello *h, const sc_reply *reply, sc__str *out, sc_reason *ret_reason)
{
    bool is_error = reply && reply->type == SC_REPLY_ERROR;

    switch (h->step) {
    case SC__HELLO_START:
        go_on(h, SC__HELLO_HELLO, out);
        break;
    case SC__HELLO_HELLO:
        if (is_error && !knows_no_hello(reply))
            return refused(h, reply, ret_reason);
        if (!is_error)
            read_hello(h, reply);
        if (!is_error && h->url->master && !h->is_master)
            return sc__because(ret_reason, SC_ECONNECT,
                               "%s:%d, of which a sentinel told, is no master", h->url->host,
                               h->url->port);
        go_on(h, is_error ? SC__HELLO_AUTH : SC__HELLO_SELECT, out);
        break;
    case SC__HELLO_AUTH:
        if (is_error)
            return refused(h, reply, ret_reason);
        go_on(h, SC__HELLO_SETNAME, out);
        break;
    case SC__HELLO_SETNAME: /* a name and a version are nice to have */
        go_on(h, SC__HELLO_INFO, out);
        break;
    case SC__HELLO_INFO:
        read_info(h, reply);
        go_on(h, SC__HELLO_SELECT, out);
        break;
    case SC__HELLO_SELECT:
        if (is_error)
            return refused(h, reply, ret_reason);
        go_on(h, SC__HELLO_TRACKING, out);
        break;
    case SC__HELLO_TRACKING:
        h->is_tracked = !is_error;
        go_on(h, SC__HELLO_TIME, out);
        break;
    case SC__HELLO_TIME:
        if (sc__reply_server_ahead(reply, h->time_asked_ns, &h->server_ahead_ms))
            h->server_ahead_ms = INT64_MIN;
        go_on(h, SC__HELLO_DONE, out);
        break;
    case SC__HELLO_DONE:
        return sc__because(ret_reason, SC_EPROTO, "a reply came that no command asked for");
    }
    return out->err;
}
