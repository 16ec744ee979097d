#include "wild.h"

#include "test.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))
#define PICK(w, array) (array)[wild_below(w, COUNT(array))]

static const sc_slice texts[] = {
    {"", 0},
    {"null", 4},
    {"{}", 2},
    {"[]", 2},
    {"{\"a\":", 5},
    {"nan", 3},
    {"-nan", 4},
    {"inf", 3},
    {"-inf", 4},
    {"1e400", 5},
    {"-5", 2},
    {"0x10", 4},
    {" 12", 3},
    {"1.5", 3},
    {"1e15", 4},
    {"9007199254740993", 16},
    {"99999999999999999999", 20},
    {"-9223372036854775808", 20},
    {"\x82\xa4name\xa1x\xa2id\xcd\x01\x02", 13},
    {"a\nb\r\nc", 6},
    {"nul\0byte", 8},
    {"\xff\xfe\xc0\x80\xed\xa0\x80", 7},
    {"\"\\ud800\"", 8},
    {"\xe2\x80\xae\x1b[31m", 8},
    {"bull:q:1", 8},
    {":", 1},
    {"true", 4},
};

static const char *const options[] = {
    "[1]",
    "5",
    "\"x\"",
    "{\"attempts\":-1}",
    "{\"attempts\":\"x\"}",
    "{\"attempts\":1e300}",
    "{\"attempts\":3,\"backoff\":-5}",
    "{\"attempts\":3,\"backoff\":{\"type\":5}}",
    "{\"attempts\":3,\"backoff\":{\"type\":\"exponential\",\"delay\":1e308}}",
    "{\"attempts\":3,\"backoff\":{\"type\":\"fixed\",\"delay\":9007199254740993}}",
    "{\"removeOnComplete\":\"x\",\"removeOnFail\":[]}",
    "{\"removeOnComplete\":{\"count\":-1,\"age\":1e300}}",
    "{\"removeOnComplete\":{\"age\":-1},\"removeOnFail\":{\"age\":0}}",
    "{\"removeOnComplete\":{\"age\":0.5,\"limit\":-3}}",
    "{\"lifo\":\"x\",\"kl\":-1,\"stackTraceLimit\":-5}",
    "{\"de\":5}",
    "{\"de\":{\"id\":5,\"ttl\":-1}}",
    "{\"repeat\":{\"pattern\":\"x x\"}}",
    "{\"repeat\":{\"every\":-1}}",
    "{\"repeat\":{\"every\":0.1},\"prevMillis\":\"x\"}",
    "{\"sc\":5}",
    "{\"sc\":{\"expiresAt\":-1,\"startWithin\":\"x\",\"softTimeout\":1e300,\"hardTimeout\":-5}}",
    "{\"sc\":{\"expiresAt\":1}}",
    "{\"parent\":5,\"fpof\":true}",
    "{\"delay\":-5,\"priority\":1e20}",
};

static const char *const fields[] = {
    "name",         "data", "opts",        "timestamp",  "delay",       "priority",
    "ats",          "atm",  "stc",         "defa",       "deid",        "parentKey",
    "parent",       "rjk",  "progress",    "stacktrace", "processedOn", "finishedOn",
    "failedReason", "pb",   "returnvalue",
};

static const char *const beside[] = {":lock",      ":logs",   ":dependencies",
                                     ":processed", ":failed", ":unsuccessful"};

static const char *const parents[] = {
    "{\"id\":5}",
    "{\"id\":\"1\",\"queueKey\":\"\"}",
    "{\"id\":\"\",\"queueKey\":\":\",\"fpof\":true}",
    "{\"id\":\"2\",\"queueKey\":\"bull:other\",\"cpof\":true}",
    "{\"id\":\"3\",\"queueKey\":[],\"idof\":1}",
    "[[[",
};

static const char *const scores[] = {
    "-inf", "+inf", "-1", "0", "0.5", "1e300", "9007199254740993", "7000000000000000"};

static const char *const lists[] = {"wait", "active", "paused"};
static const char *const sets[] = {"prioritized", "delayed",          "completed",
                                   "failed",      "waiting-children", "repeat"};
static const char *const plain[] = {"id", "pc", "limiter", "stalled-check"};
static const char *const all[] = {
    "wait",
    "active",
    "paused",
    "prioritized",
    "delayed",
    "completed",
    "failed",
    "waiting-children",
    "repeat",
    "metrics:completed",
    "metrics:completed:data",
    "metrics:failed",
    "sc:cancel:1",
    "marker",
    "events",
    "meta",
    "id",
    "pc",
    "stalled",
    "limiter",
    "stalled-check",
    "de:d",
    "dn:d",
    "repeat:s",
};

/* splitmix64 */
size_t wild_below(struct wild *w, size_t below)
{
    uint64_t x = w->state += 0x9e3779b97f4a7c15;

    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9;
    x = (x ^ x >> 27) * 0x94d049bb133111eb;
    return (size_t)((x ^ x >> 31) % below);
}

static sc_slice long_text(char letter)
{
    static char text[2][70 * 1024];
    char *at = text[letter == '['];

    memset(at, letter, sizeof(text[0]));
    return (sc_slice){at, sizeof(text[0])};
}

sc_slice wild_id(struct wild *w)
{
    static const char *const jobs[] = {"1", "2", "3", "4", "5", "6", "7", "8", "own"};
    static const char *const odd[] = {"0",  "0:1",  "repeat:s:1000", "a:b",
                                      "-1", "wait", "meta",          "1e3"};
    size_t which = wild_below(w, 20);

    if (which == 0)
        return (sc_slice){long_text('x').ptr, 10 * 1024};
    if (which == 1)
        return long_text('x');
    if (which < 5)
        return PICK(w, texts);
    return sc_slice_of(which < 8 ? PICK(w, odd) : PICK(w, jobs));
}

sc_slice wild_text(struct wild *w)
{
    size_t which = wild_below(w, 12);

    if (which == 0)
        return long_text('[');
    return which < 4 ? sc_slice_of(PICK(w, options)) : PICK(w, texts);
}

/* ---- writing ---- */

#define DO(w, ...)                                                                                 \
    test_redis_words((w)->server, (const sc_slice[]){__VA_ARGS__},                                 \
                     sizeof((const sc_slice[]){__VA_ARGS__}) / sizeof(sc_slice))

/* A key of the queue; freed by the next call but three. */
static sc_slice key_of(struct wild *w, sc_slice middle, const char *end)
{
    static char *keys[4];
    static size_t next;
    size_t head = strlen(w->base), tail = strlen(end);
    char *key = malloc(head + middle.len + tail);

    assert_non_null(key);
    free(keys[next % 4]);
    keys[next++ % 4] = key;
    memcpy(key, w->base, head);
    memcpy(key + head, middle.ptr, middle.len);
    memcpy(key + head + middle.len, end, tail);
    return (sc_slice){key, head + middle.len + tail};
}

static sc_slice queue_key(struct wild *w, const char *name)
{
    return key_of(w, sc_slice_of(name), "");
}

/* Whatever was there, now there is something of another kind. */
static void replace(struct wild *w, sc_slice key)
{
    DO(w, SC_S("DEL"), key);
    switch (wild_below(w, 6)) {
    case 0:
        DO(w, SC_S("SET"), key, wild_text(w));
        break;
    case 1:
        DO(w, SC_S("RPUSH"), key, wild_text(w));
        break;
    case 2:
        DO(w, SC_S("SADD"), key, wild_text(w));
        break;
    case 3:
        DO(w, SC_S("ZADD"), key, sc_slice_of(PICK(w, scores)), wild_text(w));
        break;
    case 4:
        DO(w, SC_S("HSET"), key, wild_text(w), wild_text(w));
        break;
    default:
        DO(w, SC_S("XADD"), key, SC_S("*"), SC_S("x"), wild_text(w));
        break;
    }
}

static void spoil_field(struct wild *w)
{
    sc_slice key = key_of(w, wild_id(w), ""), field = sc_slice_of(PICK(w, fields));

    if (wild_below(w, 4) == 0)
        DO(w, SC_S("HDEL"), key, field);
    else
        DO(w, SC_S("HSET"), key, field, wild_text(w));
}

static void spoil_options(struct wild *w)
{
    DO(w, SC_S("HSET"), key_of(w, wild_id(w), ""), SC_S("opts"), sc_slice_of(PICK(w, options)));
}

static void spoil_job(struct wild *w)
{
    sc_slice key = key_of(w, wild_id(w), "");

    if (wild_below(w, 3) == 0)
        DO(w, SC_S("DEL"), key);
    else
        replace(w, key);
}

static void spoil_beside(struct wild *w)
{
    replace(w, key_of(w, wild_id(w), PICK(w, beside)));
}

/* An id where it does not belong, mostly without a job. */
static void place_id(struct wild *w)
{
    sc_slice id = wild_id(w);

    if (wild_below(w, 3) == 0)
        DO(w, SC_S("HSET"), key_of(w, id, ""), sc_slice_of(PICK(w, fields)), wild_text(w));
    if (wild_below(w, 2))
        DO(w, SC_S("LPUSH"), queue_key(w, PICK(w, lists)), id);
    else
        DO(w, SC_S("ZADD"), queue_key(w, PICK(w, sets)), sc_slice_of(PICK(w, scores)), id);
}

static void spoil_queue(struct wild *w)
{
    if (wild_below(w, 4) == 0)
        DO(w, SC_S("SET"), queue_key(w, PICK(w, plain)), wild_text(w));
    else
        replace(w, queue_key(w, PICK(w, all)));
}

static void spoil_settings(struct wild *w)
{
    static const char *const settings[] = {"concurrency",       "max",     "duration",
                                           "opts.maxLenEvents", "version", "paused"};

    DO(w, SC_S("HSET"), queue_key(w, "meta"), sc_slice_of(PICK(w, settings)), wild_text(w));
}

static void spoil_parent(struct wild *w)
{
    sc_slice child = wild_id(w), key = key_of(w, wild_id(w), "");

    DO(w, SC_S("HSET"), key_of(w, child, ""), SC_S("parentKey"),
       wild_below(w, 3) ? key : wild_text(w), SC_S("parent"), sc_slice_of(PICK(w, parents)));
    DO(w, SC_S("SADD"), key_of(w, wild_id(w), ":dependencies"), key_of(w, child, ""));
}

static void spoil_dedup(struct wild *w)
{
    static const char *const next[] = {"name", "data", "opts", "jid", "pk", "pd", "pdk", "rjk"};

    DO(w, SC_S("HSET"), key_of(w, wild_id(w), ""), SC_S("deid"), SC_S("d"));
    DO(w, SC_S("SET"), queue_key(w, "de:d"), wild_id(w));
    DO(w, SC_S("HSET"), queue_key(w, "dn:d"), SC_S("name"), SC_S("next"),
       sc_slice_of(PICK(w, next)), wild_text(w));
}

static void spoil_scheduler(struct wild *w)
{
    static const char *const members[] = {"name",      "data",    "opts",  "ic",
                                          "every",     "offset",  "limit", "endDate",
                                          "startDate", "pattern", "tz"};

    DO(w, SC_S("HSET"), queue_key(w, "repeat:s"), sc_slice_of(PICK(w, members)), wild_text(w));
    DO(w, SC_S("ZADD"), queue_key(w, "repeat"), sc_slice_of(PICK(w, scores)),
       wild_below(w, 2) ? SC_S("s") : wild_id(w));
    DO(w, SC_S("HSET"), key_of(w, wild_id(w), ""), SC_S("rjk"),
       wild_below(w, 2) ? SC_S("s") : wild_text(w));
}

void wild_spoil(struct wild *w)
{
    static void (*const ways[])(struct wild *) = {
        spoil_field,  spoil_field,  spoil_options, spoil_job,       spoil_job,
        spoil_beside, place_id,     place_id,      spoil_settings,  spoil_queue,
        spoil_queue,  spoil_parent, spoil_dedup,   spoil_scheduler,
    };

    PICK(w, ways)(w);
}

void wild_repair(struct wild *w)
{
    static const struct {
        const char *name, *type;
    } kinds[] = {
        {"wait", "list"},    {"active", "list"},
        {"paused", "list"},  {"prioritized", "zset"},
        {"delayed", "zset"}, {"completed", "zset"},
        {"failed", "zset"},  {"waiting-children", "zset"},
        {"repeat", "zset"},  {"meta", "hash"},
        {"id", "string"},
    };

    for (size_t i = 0; i < COUNT(kinds); i++)
        if (strcmp(DO(w, SC_S("TYPE"), queue_key(w, kinds[i].name)), kinds[i].type) != 0)
            DO(w, SC_S("DEL"), queue_key(w, kinds[i].name));
    if (strtod(DO(w, SC_S("INCRBY"), queue_key(w, "id"), SC_S("1000000")), NULL) < 1e6 ||
        strtod(DO(w, SC_S("GET"), queue_key(w, "id")), NULL) > 1e15)
        DO(w, SC_S("SET"), queue_key(w, "id"), SC_S("1000000"));
    DO(w, SC_S("HDEL"), queue_key(w, "meta"), SC_S("paused"), SC_S("concurrency"), SC_S("max"),
       SC_S("duration"));
}
