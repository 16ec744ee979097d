/* redis/resp.c: replies read from bytes that come in pieces; commands written */
#include <math.h>

#include "redis/reply.h"
#include "redis/resp.h"
#include "support/test.h"

static void feed(sc__resp *p, const char *bytes, size_t len)
{
    while (len > 0) {
        size_t room, n;
        char *space;

        assert_ok(sc__resp_space(p, &space, &room));
        n = len < room ? len : room;
        memcpy(space, bytes, n);
        sc__resp_fed(p, n);
        bytes += n;
        len -= n;
    }
}

/* A reply as text, every node marked with its type. */
static void show(const sc_reply *r, char *out, size_t cap)
{
    size_t len = strlen(out);

#define PUT(...) (len += (size_t)snprintf(out + len, cap - len, __VA_ARGS__))
    switch (r->type) {
    case SC_REPLY_NIL:
        PUT("nil");
        break;
    case SC_REPLY_STRING:
        PUT("'%.*s'", (int)r->str.len, r->str.ptr);
        break;
    case SC_REPLY_ERROR:
        PUT("error'%.*s'", (int)r->str.len, r->str.ptr);
        break;
    case SC_REPLY_INT:
        PUT("%lld", (long long)r->integer);
        break;
    case SC_REPLY_DOUBLE:
        PUT("%g", r->number);
        break;
    case SC_REPLY_BOOL:
        PUT(r->integer ? "true" : "false");
        break;
    case SC_REPLY_BIGNUMBER:
        PUT("big%.*s", (int)r->str.len, r->str.ptr);
        break;
    case SC_REPLY_ARRAY:
    case SC_REPLY_MAP:
        PUT(r->type == SC_REPLY_MAP ? "{" : "[");
        for (size_t i = 0; i < r->count; i++) {
            if (i)
                PUT(" ");
            show(&r->items[i], out, cap);
            len = strlen(out);
        }
        PUT(r->type == SC_REPLY_MAP ? "}" : "]");
        break;
    }
#undef PUT
}

static const struct {
    const char *wire, *shown;
} replies[] = {
    {"+OK\r\n", "'OK'"},
    {"-ERR no\r\n", "error'ERR no'"},
    {":-42\r\n", "-42"},
    {"$5\r\nhello\r\n", "'hello'"},
    {"$0\r\n\r\n", "''"},
    {"$-1\r\n", "nil"},
    {"*-1\r\n", "nil"},
    {"_\r\n", "nil"},
    {"$4\r\na\r\nb\r\n", "'a\r\nb'"},
    {"*0\r\n", "[]"},
    {"*3\r\n:1\r\n$1\r\nx\r\n*2\r\n:2\r\n_\r\n", "[1 'x' [2 nil]]"},
    {"*2\r\n*2\r\n*0\r\n:1\r\n*1\r\n*1\r\n:2\r\n", "[[[] 1] [[2]]]"},
    {"%2\r\n+a\r\n:1\r\n+b\r\n%1\r\n+c\r\n:2\r\n", "{'a' 1 'b' {'c' 2}}"},
    {"~2\r\n:1\r\n:2\r\n", "[1 2]"},
    {"#t\r\n", "true"},
    {"#f\r\n", "false"},
    {",1.5\r\n", "1.5"},
    {",-inf\r\n", "-inf"},
    {",1e3\r\n", "1000"},
    {"(123456789012345678901234567890\r\n", "big123456789012345678901234567890"},
    {"!5\r\nERR x\r\n", "error'ERR x'"},
    {"=8\r\ntxt:text\r\n", "'text'"},
    {"|1\r\n+ttl\r\n:9\r\n:7\r\n", "7"},
    {"*2\r\n|1\r\n+a\r\n*1\r\n:1\r\n:5\r\n:6\r\n", "[5 6]"},
    {"|0\r\n|1\r\n+a\r\n|1\r\n+b\r\n:1\r\n:2\r\n:3\r\n", "3"},
    {">2\r\n+invalidate\r\n_\r\n", "['invalidate' nil]"},
    {"|1\r\n+a\r\n:1\r\n>1\r\n:2\r\n", "[2]"},
};

enum { REPLIES = sizeof(replies) / sizeof(*replies) };

static void assert_shown(const sc_reply *reply, const char *expected)
{
    char shown[256] = "";

    assert_non_null(reply);
    show(reply, shown, sizeof(shown));
    assert_string_equal(shown, expected);
}

TEST(each_type_is_read)
{
    for (size_t i = 0; i < REPLIES; i++) {
        const sc_reply *reply;
        bool is_push;
        sc__resp p;
        sc__resp_init(&p, 1024);

        feed(&p, replies[i].wire, strlen(replies[i].wire));
        assert_ok(sc__resp_next(&p, &reply, &is_push));

        assert_shown(reply, replies[i].shown);
        assert_int_equal(is_push, strchr(replies[i].wire, '>') != NULL);
        assert_ok(sc__resp_next(&p, &reply, &is_push));
        assert_null(reply);
        sc__resp_release(&p);
    }
}

TEST(a_reply_may_come_byte_by_byte)
{
    const sc_reply *reply;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, 1024);

    for (size_t i = 0; i < REPLIES; i++) {
        const char *wire = replies[i].wire;

        for (; wire[1]; wire++) {
            feed(&p, wire, 1);
            assert_ok(sc__resp_next(&p, &reply, &is_push));
            assert_null(reply);
        }
        feed(&p, wire, 1);
        assert_ok(sc__resp_next(&p, &reply, &is_push));
        assert_shown(reply, replies[i].shown);
    }
    sc__resp_release(&p);
}

TEST(many_replies_in_one_piece_come_one_by_one)
{
    const sc_reply *reply;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, 1024);

    for (size_t i = 0; i < REPLIES; i++)
        feed(&p, replies[i].wire, strlen(replies[i].wire));

    for (size_t i = 0; i < REPLIES; i++) {
        assert_ok(sc__resp_next(&p, &reply, &is_push));
        assert_shown(reply, replies[i].shown);
    }
    sc__resp_release(&p);
}

static const struct {
    const char *wire;
    sc_err err;
} broken[] = {
    {"hello\r\n", SC_EPROTO},
    {"\r\n", SC_EPROTO},
    {"+OK\rX", SC_EPROTO},
    {":12a\r\n", SC_EPROTO},
    {":\r\n", SC_EPROTO},
    {":9223372036854775808\r\n", SC_EPROTO},
    {"$-2\r\n", SC_EPROTO},
    {"$x\r\n", SC_EPROTO},
    {"$\r\n", SC_EPROTO},
    {"$3\r\nabcde", SC_EPROTO},
    {"$99999999999999999999\r\n", SC_EPROTO},
    {"$9223372036854775807\r\n", SC_EPROTO},
    {"$9223372036854775805\r\n", SC_ETOOBIG},
    {"$1025\r\n", SC_ETOOBIG},
    {"*2147483647\r\n", SC_ETOOBIG},
    {"*9223372036854775807\r\n", SC_ETOOBIG},
    {"%4611686018427387904\r\n", SC_ETOOBIG},
    {"*-2\r\n", SC_EPROTO},
    {"~-1\r\n", SC_EPROTO},
    {"!-1\r\n", SC_EPROTO},
    {"=3\r\ntxt\r\n", SC_EPROTO},
    {"#x\r\n", SC_EPROTO},
    {"_x\r\n", SC_EPROTO},
    {",1.5x\r\n", SC_EPROTO},
    {",\r\n", SC_EPROTO},
    {"*?\r\n", SC_EPROTO},
    {"$?\r\n", SC_EPROTO},
    {"*1\r\n>1\r\n:1\r\n", SC_EPROTO},
};

TEST(what_is_not_the_protocol_ends_the_reading)
{
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        const sc_reply *reply;
        bool is_push;
        sc__resp p;
        sc__resp_init(&p, 1024);

        feed(&p, broken[i].wire, strlen(broken[i].wire));

        if (sc__resp_next(&p, &reply, &is_push) != broken[i].err)
            fail_msg("%s is taken, or refused as something else", broken[i].wire);
        assert_non_null(p.what);
        assert_err(sc__resp_next(&p, &reply, &is_push), broken[i].err);
        sc__resp_release(&p);
    }
}

TEST(nesting_is_limited)
{
    const sc_reply *reply;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, 1024);

    for (int i = 0; i < SC__RESP_DEPTH_MAX; i++)
        feed(&p, "*1\r\n", 4);
    assert_ok(sc__resp_next(&p, &reply, &is_push));
    assert_null(reply);
    feed(&p, "*1\r\n", 4);

    assert_err(sc__resp_next(&p, &reply, &is_push), SC_EPROTO);
    sc__resp_release(&p);
}

TEST(a_long_row_of_attributes_is_no_nesting)
{
    const sc_reply *reply;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, (size_t)8 * 1024 * 1024);

    for (int i = 0; i < 1000000; i++)
        feed(&p, "|0\r\n", 4);
    feed(&p, ":1\r\n", 4);

    assert_ok(sc__resp_next(&p, &reply, &is_push));
    assert_shown(reply, "1");
    sc__resp_release(&p);
}

TEST(a_line_without_end_is_refused)
{
    const sc_reply *reply;
    bool is_push;
    sc_err err = SC_OK;
    sc__resp p;
    sc__resp_init(&p, (size_t)1024 * 1024);

    feed(&p, "+", 1);
    for (int i = 0; i < 100 && !err; i++) {
        char piece[1024];

        memset(piece, 'x', sizeof(piece));
        feed(&p, piece, sizeof(piece));
        err = sc__resp_next(&p, &reply, &is_push);
    }

    assert_err(err, SC_EPROTO);
    sc__resp_release(&p);
}

TEST(an_announced_count_takes_no_memory)
{
    const sc_reply *reply;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, (size_t)512 * 1024 * 1024);

    feed(&p, "*8000000\r\n$400000000\r\n", 22);
    assert_ok(sc__resp_next(&p, &reply, &is_push));

    assert_null(reply);
    assert_int_equal(p.node_cap, 0);
    assert_true(p.cap <= 64 * 1024);
    sc__resp_release(&p);
}

TEST(a_large_string_comes_whole_and_its_memory_goes_back)
{
    size_t len = (size_t)5 * 1024 * 1024;
    char *body = malloc(len);
    const sc_reply *reply;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, (size_t)8 * 1024 * 1024);

    memset(body, 'b', len);
    feed(&p, "$5242880\r\n", 10);
    feed(&p, body, len);
    feed(&p, "\r\n", 2);
    assert_ok(sc__resp_next(&p, &reply, &is_push));
    assert_true(reply->str.len == len && memcmp(reply->str.ptr, body, len) == 0);
    feed(&p, ":1\r\n", 4);
    assert_ok(sc__resp_next(&p, &reply, &is_push));

    assert_shown(reply, "1");
    assert_true(p.cap <= (size_t)1024 * 1024);
    sc__resp_release(&p);
    free(body);
}

TEST(a_copy_holds_all_in_one_piece)
{
    static const char wire[] = "*3\r\n$2\r\nab\r\n%1\r\n+k\r\n:1\r\n$0\r\n\r\n";
    const sc_reply *reply;
    sc_reply *copy;
    bool is_push;
    sc__resp p;
    sc__resp_init(&p, 1024);

    feed(&p, wire, sizeof(wire) - 1);
    assert_ok(sc__resp_next(&p, &reply, &is_push));
    copy = sc__reply_dup(reply);
    sc__resp_release(&p);

    assert_shown(copy, "['ab' {'k' 1} '']");
    assert_int_equal(copy->items[0].str.ptr[2], '\0');
    sc_reply_free(copy);
}

TEST(a_command_is_written_as_counted)
{
    const sc_slice argv[] = {SC_S("SET"), SC_S(""), SC_S("0123456789")};
    char out[64];
    size_t len = 0;

    assert_ok(sc__resp_command_size(argv, 3, 1000, &len));
    char *end = sc__resp_command_write(out, argv, 3);

    assert_int_equal(end - out, (int)len);
    *end = '\0';
    assert_string_equal(out, "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$10\r\n0123456789\r\n");
    assert_err(sc__resp_command_size(argv, 3, len - 1, &len), SC_ETOOBIG);
    assert_err(sc__resp_command_size(argv, 0, 1000, &len), SC_EINVAL);
    assert_err(sc__resp_command_size(&(sc_slice){"x", SIZE_MAX - 3}, 1, SIZE_MAX / 4, &len),
               SC_ETOOBIG);
}

TEST(doubles_are_read_as_redis_writes_them)
{
    double value;

    assert_true(sc__double_parse(SC_S("3.0000000000000004"), &value));
    assert_true(value == 3.0000000000000004);
    assert_true(sc__double_parse(SC_S("-1.7976931348623157e+308"), &value));
    assert_true(value == -1.7976931348623157e308);
    assert_true(sc__double_parse(SC_S("nan"), &value) && isnan(value));
    assert_false(sc__double_parse(SC_S("0x10"), &value));
    assert_false(sc__double_parse(SC_S("1,5"), &value));
    assert_false(sc__double_parse(SC_S("infinity"), &value));
}
