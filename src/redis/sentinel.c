#include "sentinel.h"

#include <stdio.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/str.h"
#include "loop/timer.h"
#include "reply.h"
#include "resp.h"

enum {
    CONNECT_MS_MIN = 1000,
    REPLY_MS = 1000, /* that a sentinel has to answer */
    AGAIN_MS =
        1000, /* from the loss of the one that was heard to the next attempt, while nobody asks */
    REPLY_BYTES_MAX = 64 * 1024,
    QUESTION_MAX = 4096,
    HOST_MAX = 255
};

static const char CHANNEL[] = "+switch-master";

struct sc__sentinel {
    sc__loop *loop;
    const sc__url *url;
    sc__conn_target target; /* its URL is that of the sentinel at `at` */
    const sc__sentinel_events *events;
    void *user;

    sc__conn *conn; /* NULL: none, not even on its way */
    bool is_ready;
    sc__timer *timer; /* ends a question without an answer, or begins anew */
    size_t at, tried; /* the sentinel that is asked; how many have failed since it was asked */
    bool is_asked;    /* the owner waits for an answer */
    bool is_hearing;  /* SUBSCRIBE is sent, and not answered */
    sc__str out;      /* the question, while it is being written */

    char host[HOST_MAX + 1]; /* as was told last; empty: nothing yet */
    int port;
};

static void open_next(sc__sentinel *s);

/* The last thing a function of ours does: the owner may ask again, or free us. */
static void answer(sc__sentinel *s, sc_err err, const char *text)
{
    if (!s->is_asked)
        return;
    s->is_asked = false;
    s->tried = 0;
    s->events->answered(s->user, err, s->host, s->port, text);
}

static void fail(sc__sentinel *s, sc_err err, const char *text)
{
    sc_reason why = {""};

    sc__because(
        &why, err, "the sentinel %s: %s%s", s->url->sentinels[s->at].shown, text,
        err == SC_EAUTH ? "; its own login is ?sentinel_user=USER&sentinel_password=PASSWORD" : "");
    sc__conn_close(s->conn);
    s->conn = NULL;
    s->is_ready = false;
    s->at = (s->at + 1) % s->url->sentinel_count;
    s->tried++;
    if (s->is_asked && s->tried < s->url->sentinel_count) {
        open_next(s);
        return;
    }
    sc__timer_start(s->timer, AGAIN_MS);
    answer(s, err, why.text);
}

static void send_question(sc__sentinel *s, bool is_first)
{
    const sc_slice where[] = {SC_S("SENTINEL"), SC_S("GET-MASTER-ADDR-BY-NAME"),
                              sc_slice_of(s->url->master)};
    const sc_slice hear[] = {SC_S("SUBSCRIBE"), {CHANNEL, sizeof(CHANNEL) - 1}};

    if (!sc__conn_can_write(s->conn)) {
        fail(s, SC_ECONNLOST, "it takes no more questions");
        return;
    }
    sc__str_reset(&s->out);
    /* By RESP2 it would answer nothing else then. */
    s->is_hearing = is_first && sc__conn_id(s->conn);
    if (s->is_hearing)
        sc__resp_command_append(&s->out, hear, 2);
    sc__resp_command_append(&s->out, where, 3);
    if (s->out.err) {
        fail(s, s->out.err, "the question is too long");
        return;
    }
    sc__timer_start(s->timer, REPLY_MS);
    sc__conn_write(s->conn, &(uv_buf_t){.base = s->out.ptr, .len = s->out.len}, 1);
}

/* Keeps the address. False when it is none. */
static bool keep(sc__sentinel *s, sc_slice host, sc_slice port, bool *ret_is_other)
{
    int64_t number;

    if (!host.len || host.len > HOST_MAX || memchr(host.ptr, '\0', host.len) ||
        !sc__int_parse(port, &number) || number < 1 || number > 65535)
        return false;
    *ret_is_other = *s->host && (number != s->port || !sc_slice_eq(host, sc_slice_of(s->host)));
    memcpy(s->host, host.ptr, host.len);
    s->host[host.len] = '\0';
    s->port = (int)number;
    return true;
}

static void read_answer(sc__sentinel *s, const sc_reply *reply)
{
    bool is_other = false;

    sc__timer_stop(s->timer);
    if (reply->type == SC_REPLY_NIL) {
        fail(s, SC_ECONNECT, "it knows no master of that name");
    } else if (reply->type == SC_REPLY_ERROR) {
        sc_reason why = {""};

        fail(s, sc__reply_check(reply, &why), why.text);
    } else if (reply->type != SC_REPLY_ARRAY || reply->count != 2 ||
               !keep(s, reply->items[0].str, reply->items[1].str, &is_other)) {
        fail(s, SC_EPROTO, "its answer is no address");
    } else if (s->is_asked) {
        answer(s, SC_OK, "");
    } else if (is_other) {
        s->events->moved(s->user);
    }
}

/* The next word of a message: "mymaster 10.0.0.1 6379 10.0.0.2 6379". */
static sc_slice word(sc_slice *rest)
{
    const char *space = rest->len ? memchr(rest->ptr, ' ', rest->len) : NULL;
    sc_slice taken = {rest->ptr, space ? (size_t)(space - rest->ptr) : rest->len};

    rest->ptr += taken.len + (space != NULL);
    rest->len -= taken.len + (space != NULL);
    return taken;
}

static void read_news(sc__sentinel *s, const sc_reply *push)
{
    bool is_other = false;
    sc_slice text, words[5];

    s->is_hearing = false;
    if (push->count != 3 || !sc_slice_eq(push->items[0].str, SC_S("message")))
        return;
    text = push->items[2].str;
    for (size_t i = 0; i < 5; i++)
        words[i] = word(&text);
    if (sc_slice_eq(words[0], sc_slice_of(s->url->master)) &&
        keep(s, words[3], words[4], &is_other) && is_other && !s->is_asked)
        s->events->moved(s->user);
}

static void on_ready(void *user, const sc_server_info *info)
{
    sc__sentinel *s = user;

    (void)info;
    s->is_ready = true;
    send_question(s, true);
}

static void on_reply(void *user, const sc_reply *reply, bool is_push)
{
    sc__sentinel *s = user;

    if (is_push)
        read_news(s, reply);
    else if (s->is_hearing) /* it may not: then we look when the connection to the master breaks */
        s->is_hearing = false;
    else
        read_answer(s, reply);
}

static void on_writable(void *user)
{
    (void)user; /* the question is written; the answer is next */
}

static void on_ended(void *user, sc_err err, const char *text)
{
    sc__sentinel *s = user;

    s->conn = NULL;
    fail(s, err, text);
}

static const sc__conn_events events = {on_ready, on_reply, on_writable, on_ended};

static void open_next(sc__sentinel *s)
{
    s->target.url = &s->url->sentinels[s->at];
    sc__timer_stop(s->timer);
    if (sc__conn_open(s->loop, &s->target, &events, s, &s->conn)) {
        s->conn = NULL;
        sc__timer_start(s->timer, AGAIN_MS);
    }
}

static void on_timer(void *arg)
{
    sc__sentinel *s = arg;

    if (s->conn)
        fail(s, SC_ETIMEDOUT, "it does not answer");
    else
        open_next(s);
}

void sc__sentinel_ask(sc__sentinel *s)
{
    if (s->is_asked)
        return;
    s->is_asked = true;
    s->tried = 0;
    if (!s->conn)
        open_next(s);
    else if (s->is_ready)
        send_question(s, false);
}

/* So that the ones that are gone leave time for the others. */
static int64_t part_of(int64_t timeout_ms, size_t sentinels)
{
    int64_t part_ms = timeout_ms / (int64_t)sentinels;

    if (part_ms < CONNECT_MS_MIN)
        part_ms = CONNECT_MS_MIN;
    return part_ms < timeout_ms ? part_ms : timeout_ms;
}

sc_err sc__sentinel_new(sc__loop *loop, const sc__conn_target *like,
                        const sc__sentinel_events *events_of_owner, void *user,
                        sc__sentinel **ret_sentinel)
{
    sc__sentinel *s = sc__calloc(1, sizeof(*s));

    if (!s)
        return SC_ENOMEM;
    s->loop = loop;
    s->url = like->url;
    s->target = *like;
    s->target.connect_timeout_ms = part_of(like->connect_timeout_ms, like->url->sentinel_count);
    s->target.max_reply_bytes = REPLY_BYTES_MAX;
    s->target.traffic = NULL;
    s->target.tracks = false;
    s->events = events_of_owner;
    s->user = user;
    s->out = STR_MAX(QUESTION_MAX);
    if (sc__timer_new(loop, on_timer, s, &s->timer)) {
        sc_free(s);
        return SC_ENOMEM;
    }
    *ret_sentinel = s;
    return SC_OK;
}

void sc__sentinel_free(sc__sentinel *s)
{
    if (!s)
        return;
    sc__conn_close(s->conn);
    sc__timer_free(s->timer);
    sc__str_release(&s->out);
    sc_free(s);
}
