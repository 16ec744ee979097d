/* What must be true of a soak's queues when all faults are over and all jobs have ended. */
#include "base/clock.h"
#include "soak_trail.h"
#include "test.h"

enum { ON_TIME_MS = 3000, RUNS_LATE_MAX = 1000 };

struct soak_checker {
    struct soak *s;
    const struct test_server *server;
    sc_client *client;
    struct soak_trail trail;
    char problem[512];
};

/* Walks over a queue as a whole, which only a test may do. Gives what is wrong, a line each. */
static const char walk[] =
    "local base, strict, said, where = ARGV[1], ARGV[2] == '1', {}, {}\n"
    "local function say(...) if #said < 20 then said[#said + 1] = table.concat({...}, ' ') end "
    "end\n"
    "for _, list in ipairs({'wait', 'active'}) do\n"
    "  for _, id in ipairs(redis.call('LRANGE', base .. list, 0, -1)) do\n"
    "    where[id] = (where[id] or '') .. list .. ' '\n"
    "  end\n"
    "end\n"
    "for _, set in ipairs({'delayed', 'prioritized', 'waiting-children', 'completed', 'failed'}) "
    "do\n"
    "  for _, id in ipairs(redis.call('ZRANGE', base .. set, 0, -1)) do\n"
    "    where[id] = (where[id] or '') .. set .. ' '\n"
    "  end\n"
    "end\n"
    "local known, seen = {}, {}\n"
    "for name in ('id wait active delayed prioritized waiting-children completed failed marker "
    "events meta pc '\n"
    "    .. 'stalled stalled-check limiter repeat'):gmatch('%S+') do known[name] = true end\n"
    "for _, key in ipairs(redis.call('KEYS', base .. '*')) do\n"
    "  local id = key:sub(#base + 1)\n"
    "  local of = id:match('^(.*):lock$')\n"
    "  if of then\n"
    "    if not (where[of] or ''):find('active') then say(key, 'is a lock of a job that is', "
    "where[of] or 'nowhere') end\n"
    "  elseif id:match('^de:') then\n"
    "    local owner = where[redis.call('GET', key)] or 'nowhere'\n"
    "    if owner == 'nowhere' or owner == 'completed ' or owner == 'failed ' then say(key, 'is of "
    "a job that is', owner) end\n"
    "  elseif id:match('^dn:') then say(key, 'is left')\n"
    "  elseif id:match(':dependencies$') then say(key, 'is left')\n"
    "  elseif id:match(':processed$') or known[id] or id:match('^repeat:[^:]+$') or "
    "id:match('^sc:cancel:') then\n"
    "  elseif redis.call('TYPE', key).ok ~= 'hash' then say(key, 'is not known')\n"
    "  else\n"
    "    local job = redis.call('HMGET', key, 'data', 'atm', 'ats', 'name', 'failedReason', "
    "'rjk')\n"
    "    local at = where[id]\n"
    "    seen[id] = true\n"
    "    if not at then say(id, 'is in no state')\n"
    "    elseif at:match(' %S') then say(id, 'is in two states:', at)\n"
    "    elseif strict and at ~= 'completed ' and at ~= 'failed ' then say(id, 'has not ended:', "
    "at)\n"
    "    elseif not job[6] and (at == 'completed ' or at == 'failed ') then\n"
    "      local plan = cjson.decode(job[1])\n"
    "      if plan['end'] ~= '' and plan['end'] .. ' ' ~= at then say(id, 'is', at .. job[5]) end\n"
    "      if plan.made > 0 and plan.made ~= tonumber(job[2]) then say(id, 'was tried', job[2], "
    "'times') end\n"
    "    end\n"
    "  end\n"
    "end\n"
    "for id, at in pairs(where) do if not seen[id] then say(id, 'has no hash, and is', at) end "
    "end\n"
    "for _, id in ipairs(redis.call('SMEMBERS', base .. 'stalled')) do\n"
    "  if redis.call('EXISTS', base .. id) == 0 then say(id, 'is stalled, and gone') end\n"
    "end\n"
    "if redis.call('PTTL', base .. 'limiter') == -1 then say('the limiter never ends') end\n"
    "local time = redis.call('TIME')\n"
    "local now = time[1] * 1000 + time[2] / 1000\n"
    "for i, name in ipairs({'wait', 'active', 'delayed'}) do known[name] = nil end\n"
    "local rules = redis.call('ZRANGE', base .. 'repeat', 0, -1, 'WITHSCORES')\n"
    "for i = 1, #rules, 2 do\n"
    "  local job = 'repeat:' .. rules[i] .. ':' .. string.format('%.0f', rules[i + 1])\n"
    "  local exists = redis.call('EXISTS', base .. job) == 1\n"
    "  if rules[i]:match('^plain') and not exists then say(rules[i], 'has no job', job) end\n"
    "  if rules[i]:match('^guarded') and exists then say(rules[i], 'has a job before its time') "
    "end\n"
    "end\n"
    "return table.concat(said, '\\n')";

static const char forget[] =
    "for _, set in ipairs({'completed', 'failed'}) do\n"
    "  for _, id in ipairs(redis.call('ZRANGE', ARGV[1] .. set, 0, -1)) do\n"
    "    redis.call('UNLINK', ARGV[1] .. id, ARGV[1] .. id .. ':processed')\n"
    "  end\n"
    "  redis.call('DEL', ARGV[1] .. set)\n"
    "end\n"
    "redis.call('XTRIM', ARGV[1] .. 'events', 'MAXLEN', 0)\n"
    "return ''";

static sc_reply *ask(struct soak_checker *c, const sc_slice *argv, size_t argc)
{
    sc_reply *reply;

    assert_ok(sc_client_call(c->client, argv, argc, &reply));
    if (reply->type == SC_REPLY_ERROR)
        fail_msg("%.*s", (int)reply->str.len, reply->str.ptr);
    return reply;
}

static void base_of(int queue, char base[64])
{
    snprintf(base, 64, "bull:%s:", soak_queues[queue]);
}

/* True when it gives no text. */
static bool run_script(struct soak_checker *c, int queue, const char *script, const char *arg)
{
    char base[64];
    const sc_slice argv[] = {
        SC_S("EVAL"), sc_slice_of(script), SC_S("0"), {base, 0}, sc_slice_of(arg)};
    sc_slice with[5];
    sc_reply *reply;
    bool is_empty;

    base_of(queue, base);
    memcpy(with, argv, sizeof(with));
    with[3] = sc_slice_of(base);
    reply = ask(c, with, 5);
    is_empty = reply->str.len == 0;
    if (!is_empty)
        snprintf(c->problem, sizeof(c->problem), "%s%.*s", base, (int)reply->str.len,
                 reply->str.ptr);
    sc_reply_free(reply);
    return is_empty;
}

static bool follow(struct soak_checker *c, int queue)
{
    if (soak_trail_follow(&c->trail, c->client, queue))
        return true;
    snprintf(c->problem, sizeof(c->problem), "%s", c->trail.problem);
    return false;
}

/* Every job that was added has ended; its processor ran as often as it was started, but for those that were killed before. */
static bool check_jobs(struct soak_checker *c)
{
    struct soak *s = c->s;
    unsigned count = s->next;

    for (unsigned i = 0; i < count; i++) {
        soak_kind kind = (soak_kind)s->kinds[i];
        const char *what = NULL;

        /* A deduplicated one may be none; where schedules go on some job may be about to end. */
        if (s->fates[i] == SOAK_UNUSED || kind == SOAK_DEDUPED || kind == SOAK_HOLD + SOAK_TICKS)
            continue;
        if (c->trail.jobs[i].state != SOAK_ENDED &&
            (s->fates[i] == SOAK_ADDED || c->trail.jobs[i].state))
            what = c->trail.jobs[i].state ? "has no event of its end" : "has no event at all";
        else if (s->runs[i] > c->trail.jobs[i].starts && s->runs[i] < 255)
            what = "was run more often than it was started";
        else if (c->trail.jobs[i].completed && !s->runs[i])
            what = "was completed, and never run";
        if (what) {
            snprintf(c->problem, sizeof(c->problem), "job %s-%u %s (%d starts, %d runs)",
                     soak_kind_name(kind), i, what, c->trail.jobs[i].starts, s->runs[i]);
            return false;
        }
    }
    if (c->trail.unasked && !s->may_give_back) {
        snprintf(c->problem, sizeof(c->problem), "%ld jobs went back to wait", c->trail.unasked);
        return false;
    }
    return true;
}

/* How many jobs a schedule says that it has made. */
static long counted(struct soak_checker *c, int schedule)
{
    char command[96];
    const bool is_plain = schedule < SOAK_PLAIN_SCHEDULES;

    snprintf(command, sizeof(command), "HGET bull:ticks:repeat:%s-%d ic",
             is_plain ? "plain" : "guarded", is_plain ? schedule : schedule - SOAK_PLAIN_SCHEDULES);
    return strtol(test_redis(c->server, command), NULL, 10);
}

/* They count as many jobs as they have made. They go on meanwhile. */
static bool check_schedules(struct soak_checker *c)
{
    long before[SOAK_SCHEDULES];

    for (int i = 0; i < SOAK_SCHEDULES; i++)
        before[i] = counted(c, i);
    if (!follow(c, SOAK_TICKS))
        return false;
    for (int i = 0; i < SOAK_SCHEDULES; i++) {
        long after = counted(c, i);

        if (before[i] <= c->trail.made[i] && c->trail.made[i] <= after)
            continue;
        snprintf(c->problem, sizeof(c->problem),
                 "schedule %d counts %ld, then %ld jobs; %ld were made", i, before[i], after,
                 c->trail.made[i]);
        return false;
    }
    return true;
}

/* The reader of events is told of them all, in a moment. */
static bool check_events(struct soak_checker *c)
{
    int64_t deadline = sc__mono_ms() + SOAK_DEADLINE_MS;

    while (c->s->events != c->trail.ended && sc__mono_ms() < deadline)
        soak_rest(5);
    snprintf(c->problem, sizeof(c->problem), "%ld ends of jobs were read, and there were %ld",
             (long)c->s->events, c->trail.ended);
    return c->s->events == c->trail.ended;
}

const char *soak_check(struct soak_checker *c, bool is_over)
{
    bool ok = true;

    c->problem[0] = '\0';
    for (int i = 0; i < SOAK_QUEUES && ok; i++)
        ok = run_script(c, i, walk, i != SOAK_TICKS || is_over ? "1" : "0") && follow(c, i);
    ok = ok && (is_over || check_schedules(c)) && check_jobs(c) && (is_over || check_events(c));
    for (int i = 0; i < SOAK_TICKS && ok; i++)
        ok = run_script(c, i, forget, "");
    if (ok)
        c->problem[0] = '\0';
    return c->problem;
}

static long length(struct soak_checker *c, const char *command, int queue, const char *key)
{
    char text[96];

    snprintf(text, sizeof(text), "%s bull:%s:%s", command, soak_queues[queue], key);
    return strtol(test_redis(c->server, text), NULL, 10);
}

bool soak_is_drained(struct soak_checker *c)
{
    for (int i = 0; i < SOAK_TICKS; i++)
        if (length(c, "LLEN", i, "wait") || length(c, "LLEN", i, "active") ||
            length(c, "ZCARD", i, "delayed") || length(c, "ZCARD", i, "prioritized") ||
            length(c, "ZCARD", i, "waiting-children"))
            return false;
    return true;
}

bool soak_is_on_time(struct soak_checker *c)
{
    const int64_t now = sc__wall_ms();
    char *scores = strdup(test_redis(c->server, "ZRANGE bull:ticks:repeat 0 -1 WITHSCORES"));
    char *save = NULL;
    int late = 0, count = 0;

    for (char *word = strtok_r(scores, " ", &save); word; word = strtok_r(NULL, " ", &save))
        if (count++ % 2)
            late += strtoll(word, NULL, 10) < now - ON_TIME_MS;
    free(scores);
    return count == 2 * SOAK_SCHEDULES && !late &&
           length(c, "LLEN", SOAK_TICKS, "wait") < RUNS_LATE_MAX;
}

void soak_checker_print(struct soak_checker *c)
{
    for (int i = 0; i < SOAK_QUEUES; i++)
        fprintf(
            stderr,
            "queue %s: %ld wait, %ld active, %ld delayed, %ld prioritized, %ld waiting-children, "
            "%ld completed, %ld failed\n",
            soak_queues[i], length(c, "LLEN", i, "wait"), length(c, "LLEN", i, "active"),
            length(c, "ZCARD", i, "delayed"), length(c, "ZCARD", i, "prioritized"),
            length(c, "ZCARD", i, "waiting-children"), length(c, "ZCARD", i, "completed"),
            length(c, "ZCARD", i, "failed"));
}

struct soak_checker *soak_checker_new(struct soak *s, const struct test_server *server,
                                      sc_client *client)
{
    struct soak_checker *c = calloc(1, sizeof(*c));

    c->s = s;
    c->server = server;
    c->client = client;
    soak_trail_init(&c->trail, s);
    return c;
}

void soak_checker_free(struct soak_checker *c)
{
    soak_trail_release(&c->trail);
    free(c);
}
